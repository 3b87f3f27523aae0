/** The storage thread itself: its port, its start, its end. */
import { mkdirSync } from 'node:fs'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import {
  readReplies,
  type StorageEvent,
  type StorageMessage,
  type StorageOptions,
} from '../../../src/workers/storage/request.ts'
import { STORAGE_WORKER_URL } from '../../../src/workers/worker-urls.ts'
import { hosting, packCommands, put } from '../../_util/storage-commands.ts'
import { toldBy } from '../../_util/storage-replies.ts'
import { storageOptions } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const workers: Worker[] = []

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
})

function isOf<K extends StorageEvent['kind']>(
  event: StorageEvent,
  kind: K,
): event is Extract<StorageEvent, { kind: K }> {
  return event.kind === kind
}

class Thread {
  readonly worker: Worker
  readonly #events: StorageEvent[] = []
  readonly #readers: (() => void)[] = []

  constructor(options: StorageOptions) {
    this.worker = new Worker(STORAGE_WORKER_URL, { workerData: options })
    workers.push(this.worker)
    this.worker.on('message', (event: StorageEvent) => {
      this.#events.push(event)
      for (const wake of this.#readers.splice(0)) wake()
    })
  }

  post(message: StorageMessage): void {
    this.worker.postMessage(message, message.kind === 'commands' ? [message.batch] : [])
  }

  async next<K extends StorageEvent['kind']>(kind: K): Promise<Extract<StorageEvent, { kind: K }>> {
    for (;;) {
      const event = this.#events.shift()
      if (event && isOf(event, kind)) return event
      if (event) continue
      await new Promise<void>((wake) => {
        this.#readers.push(wake)
      })
    }
  }
}

function optionsOf(): StorageOptions {
  const options = storageOptions(directory())
  mkdirSync(options.blocks.path, { recursive: true })
  return options
}

describe('the storage thread', () => {
  it('gets ready, answers, counts, and closes with an exit code of 0', async () => {
    const thread = new Thread(optionsOf())
    expect((await thread.next('ready')).run.runNo).toBe(1)
    const batch = packCommands([hosting(), put('a', 'one')])
    thread.post({ kind: 'commands', batch })
    expect(batch.byteLength).toBe(0)
    const replies = readReplies((await thread.next('replies')).batch)
    expect(replies.map((reply) => toldBy(reply).slice(0, 3))).toEqual(['200', '200'])
    thread.post({ kind: 'probe', probeId: 9, write: true })
    expect(await thread.next('probed')).toEqual({ kind: 'probed', probeId: 9, failure: undefined })
    thread.post({ kind: 'counters' })
    expect((await thread.next('counters')).counters).toMatchObject({ groups: 2, commands: 2 })
    const exit = once(thread.worker, 'exit')
    thread.post({ kind: 'close' })
    await thread.next('closed')
    expect(await exit).toEqual([0])
  })

  it('says why it cannot start, and ends', async () => {
    const options = optionsOf()
    const thread = new Thread(options)
    await thread.next('ready')
    const second = new Thread(options)
    const exit = once(second.worker, 'exit')
    expect((await second.next('fault')).fault.why).toContain('another tinycloud process')
    expect(await exit).toEqual([0])
  })

  it('that dies lets go of its lock, and what it answered is there', async () => {
    const options = optionsOf()
    const thread = new Thread(options)
    await thread.next('ready')
    thread.post({ kind: 'commands', batch: packCommands([hosting(), put('a', 'one')]) })
    await thread.next('replies')
    await thread.worker.terminate()
    const next = new Thread(options)
    expect((await next.next('log')).event).toBe('run.crashed')
    expect((await next.next('ready')).run.runNo).toBe(2)
    next.post({ kind: 'commands', batch: packCommands([put('b', 'two')]) })
    const [reply] = readReplies((await next.next('replies')).batch)
    expect(toldBy(reply)).toMatch(/^200/)
  })
})
