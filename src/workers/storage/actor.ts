/**
 * The storage actor: the only writer of rows and of committed blocks. Two gates (DESIGN §4):
 *
 * In.  Commands are applied in groups, one group at a time, in the order in which they reach the mailbox. Each is
 *      decided inside the transaction of its group, on what was committed and on the commands before it.
 * Out. A reply leaves only after its group is committed and the blocks that the rows name are on stable storage.
 *
 * What follows, and what test/simulation asserts after every crash:
 * - What was answered 2xx is there, whole, and its bytes are those that were hashed (KV-9).
 * - What was refused is not there, and a refused invocation may be sent again.
 * - What was not answered is there whole or not at all.
 * - A crash leaves bytes that no row names, never a row that names missing bytes.
 * - A mutating invocation takes effect at most once, and never after its chain was revoked.
 *
 * What it may lose: the outcome of commands that were not answered. After a write or sync that failed in a way that
 * cannot be undone it takes no more writes (503), because nobody knows the state of the disk any more.
 */
import { type ErrorCode } from '../../protocol/error.ts'
import { PackedWriter } from '../../protocol/packed.ts'
import { readCommands } from './command-codec.ts'
import { type GroupRunner } from './group-runner.ts'
import { type GroupLimits, Mailbox } from './mailbox.ts'
import {
  type Damage,
  type StorageCommand,
  type StorageCounters,
  type StorageEvent,
  type StorageReply,
  writeReply,
} from './request.ts'

export interface ActorOptions {
  readonly runner: GroupRunner
  readonly groups: GroupLimits
  /** Buffers of the event are given away. */
  readonly post: (event: StorageEvent) => void
  /** A bug, or the end of the run by somebody else: the process must not go on. */
  readonly die: (error: unknown) => void
}

export class StorageActor {
  readonly #runner: GroupRunner
  readonly #post: ActorOptions['post']
  readonly #die: ActorOptions['die']
  readonly #mailbox: Mailbox
  /** Everything that the actor does, one after the other. */
  #work: Promise<void> = Promise.resolve()
  #isAwake = false
  #isClosing = false

  constructor({ runner, groups, post, die }: ActorOptions) {
    this.#mailbox = new Mailbox(groups)
    this.#runner = runner
    this.#post = post
    this.#die = die
  }

  /** Taken: the packed commands. Each gets one reply. */
  submit(batch: ArrayBuffer): void {
    const commands = readCommands(batch)
    if (this.#isClosing) this.#reply(failAll(commands, 'NODE_STOPPING'))
    else if (this.#mailbox.put(commands)) this.#wake()
    else this.#reply(failAll(commands, 'NODE_BUSY'))
  }

  /** Reads, or commits an empty group: the whole way to the disk. Answered by `probed`. */
  probe(probeId: number, isWrite: boolean): void {
    this.#do(async () => {
      const code = await this.#runner.probe(isWrite)
      const failure = code && { code, detail: '' }
      this.#post({ kind: 'probed', probeId, failure })
    })
  }

  /** Writes down what was found broken. */
  quarantine(damages: readonly Damage[]): void {
    this.#do(() => this.#runner.quarantine(damages))
  }

  keepScrubPosition(position: Uint8Array): void {
    this.#do(() => this.#runner.keepScrubPosition(position))
  }

  /** One bounded step of reclaiming what no row needs. True: there is more to do at once. */
  tend(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#do(async () => {
        resolve(this.#isClosing ? false : await this.#runner.tend())
      })
    })
  }

  get counters(): StorageCounters {
    return { ...this.#runner.counters, mailboxItems: this.#mailbox.length }
  }

  /** Commits what waits and ends the run. Commands that come later are refused. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#do(async () => {
      while (this.#mailbox.length > 0) await this.#runGroup()
      await this.#runner.close()
    })
    await this.#work
  }

  /** Starts the next group once everything that has arrived by then is in the mailbox. */
  #wake(): void {
    if (this.#isAwake) return
    this.#isAwake = true
    setImmediate(() => {
      this.#isAwake = false
      this.#do(() => this.#runGroup())
    })
  }

  #do(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch(this.#die)
  }

  async #runGroup(): Promise<void> {
    const commands = this.#mailbox.takeGroup()
    if (commands.length === 0) return
    this.#reply(await this.#runner.run(commands))
    await this.#runner.tidy()
    if (this.#mailbox.length > 0) this.#wake()
  }

  #reply(replies: readonly StorageReply[]): void {
    const writer = new PackedWriter(replies.length * REPLY_BYTES)
    for (const reply of replies) writeReply(writer, reply)
    this.#post({ kind: 'replies', batch: writer.finish() })
  }
}

/** Enough for the usual reply: no growing. */
const REPLY_BYTES = 256

const failAll = (commands: readonly StorageCommand[], code: ErrorCode): StorageReply[] =>
  commands.map(({ requestId }) => ({ requestId, kind: 'failure', failure: { code, detail: '' } }))
