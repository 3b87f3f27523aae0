/**
 * Compute and storage in this process, both real, without main and its sockets: what a request comes to, at a time that
 * the test sets.
 */
import { createSecretKey } from 'node:crypto'
import { toHex } from '../../src/protocol/bytes.ts'
import { type Answer, type Failure } from '../../src/protocol/answer.ts'
import { WIRE_ERRORS, wireText } from '../../src/protocol/error.ts'
import { deriveSeed } from '../../src/protocol/host-key.ts'
import { NOTHING_ASKABLE } from '../../src/protocol/inquiry.ts'
import { NOTHING_KEPT } from '../../src/workers/keep-rule.ts'
import { NO_SPACE_LIMITS } from '../../src/workers/space-limits.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import { openStaging } from '../../src/workers/blocks/staging.ts'
import { runBatch } from '../../src/workers/compute/batch.ts'
import { type ComputeContext } from '../../src/workers/compute/context.ts'
import {
  readResults,
  type Result,
  type TokenEntry,
  writeEntry,
} from '../../src/workers/compute/request.ts'
import { type DatabaseReader } from '../../src/workers/database/facts.ts'
import { Streams } from '../../src/workers/compute/streams.ts'
import { readCommands } from '../../src/workers/storage/command-codec.ts'
import { type StorageReply } from '../../src/workers/storage/request.ts'
import { openStorage, storageOptions, type StorageUnderTest } from './storage-under-test.ts'

/** Of every node here. */
export const NODE_SECRET: Uint8Array = new Uint8Array(32).fill(9)
const INVOCATION_LIFETIME_S = 300

export interface TokenRequest {
  readonly route: TokenEntry['route']
  readonly authorization: string
  readonly body?: TokenEntry['body']
}

export interface RequestOutcome {
  readonly status: number
  /** The body of the answer or the text of the refusal; empty for an error page. */
  readonly text: string
  /** Of the token, where a command came of it: then, and only then, rows may have been written. */
  readonly digest: string | undefined
}

export interface ComputeAndStorage {
  readonly storage: StorageUnderTest
  /** Unix seconds. */
  nowS: number
  /** One batch. @throws when anything but a refusal comes out of it */
  send(requests: readonly TokenRequest[]): Promise<RequestOutcome[]>
  close(): Promise<void>
}

export interface InjectedFaults {
  /** A reader that fails where the test wants it to. */
  readonly wrapReader?: (reader: DatabaseReader) => DatabaseReader
  /** Takes what compute reports as its own faults; otherwise they end the test. */
  readonly onFaults?: (faults: readonly string[]) => void
}

const refuseFaults = (faults: readonly string[]): void => {
  throw new Error(`faults of compute: ${faults.join('\n')}`)
}

export async function openComputeAndStorage(
  directory: string,
  startS: number,
  injected: InjectedFaults = {},
): Promise<ComputeAndStorage> {
  const clock = { nowS: startS }
  const storage = await openStorage(directory, { nowS: () => clock.nowS })
  const readers = storage.openReaders()
  const { blocks } = storageOptions(directory)
  const staging = openStaging(blocks, { runNo: 1, runId: 'run' }, 'memory')
  const context: ComputeContext = {
    database: injected.wrapReader?.(readers.database) ?? readers.database,
    blocks: readers.blocks,
    staging,
    streams: new Streams(staging),
    secret: NODE_SECRET,
    cursorKey: createSecretKey(deriveSeed(NODE_SECRET, 'cursor')),
    ticketKey: createSecretKey(deriveSeed(NODE_SECRET, 'ticket')),
    invocationLifetimeS: INVOCATION_LIFETIME_S,
    clockSkewS: 0,
    implicitText: 'drop',
    spaceLimits: NO_SPACE_LIMITS,
    keepRule: NOTHING_KEPT,
    askable: NOTHING_ASKABLE,
    nowS: () => clock.nowS,
    randomBytes: (count) => new Uint8Array(count),
  }
  let lastRequestId = 0
  return {
    storage,
    get nowS() {
      return clock.nowS
    },
    set nowS(timeS) {
      clock.nowS = timeS
    },
    send: async (requests) => {
      const entries = requests.map(({ route, authorization, body = { kind: 'none' } }) => ({
        kind: 'token' as const,
        requestId: ++lastRequestId,
        route,
        authorization,
        headers: [],
        body,
      }))
      return runEntries(context, storage, entries, injected.onFaults ?? refuseFaults)
    },
    close: async () => {
      readers.close()
      await storage.close()
    },
  }
}

/** Compute, then storage, as main has it. */
async function runEntries(
  context: ComputeContext,
  storage: StorageUnderTest,
  entries: readonly TokenEntry[],
  onFaults: (faults: readonly string[]) => void,
): Promise<RequestOutcome[]> {
  const writer = new PackedWriter()
  for (const entry of entries) writeEntry(writer, entry)
  const { results, commands, faults } = await runBatch(context, writer.finish())
  if (faults.length > 0) onFaults(faults)
  const wanted = commands ? readCommands(commands) : []
  const replies = await storage.send(...wanted)
  return [...readResults(results)].map((result) => {
    const index = wanted.findIndex(({ requestId }) => requestId === result.requestId)
    const [command, reply] = [wanted[index], replies[index]]
    return { ...answerOf(reply ?? result), digest: command && toHex(command.digest) }
  })
}

function answerOf(result: Result | StorageReply): Omit<RequestOutcome, 'digest'> {
  if (result.kind === 'failure') return failureOf(result.failure)
  if ('answer' in result) return shown(result.answer)
  throw new Error(`no answer, but ${result.kind}`)
}

const shown = ({ status, body }: Answer): Omit<RequestOutcome, 'digest'> => ({
  status,
  text: Buffer.from(body).toString(),
})

const failureOf = ({ code, detail }: Failure): Omit<RequestOutcome, 'digest'> => ({
  status: WIRE_ERRORS[code].status,
  text: wireText(code, detail),
})
