/**
 * No row comes from a token that nobody signed: damaged tokens go through the real compute and the real storage, and
 * what is stored afterwards is what was rightly signed.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { signHostDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { WIRE_ERRORS } from '../../src/protocol/error.ts'
import { deriveSeed, hostDid } from '../../src/protocol/host-key.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import { parseToken } from '../../src/protocol/token.ts'
import { openStaging } from '../../src/workers/blocks/staging.ts'
import { runBatch } from '../../src/workers/compute/batch.ts'
import { type ComputeContext } from '../../src/workers/compute/context.ts'
import {
  readResults,
  type Result,
  type TokenEntry,
  writeEntry,
} from '../../src/workers/compute/request.ts'
import { Streams } from '../../src/workers/compute/streams.ts'
import { readCommands } from '../../src/workers/storage/command-codec.ts'
import { type StorageReply } from '../../src/workers/storage/request.ts'
import { NOW_S, OWNER, SIGNING, SPACE } from '../_util/credentials.ts'
import { FUZZ_RUNS, FUZZ_SEED } from '../_util/fuzz/harness.ts'
import {
  cacaoTexts,
  GUEST_TOKEN,
  plausibleTexts,
  SESSION_TOKEN,
  type SignedText,
  ucanTexts,
} from '../_util/fuzz/signed-texts.ts'
import { openStorage, storageOptions, type StorageUnderTest } from '../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const ENTRIES_PER_BATCH = 32
/** Each entry goes through the whole node but for its sockets. */
const TOKENS_MAX = 200_000
/** A service or a batch that this node does not have; all else from 500 on is our fault. */
const NOT_HERE = 501
const SECRET = new Uint8Array(32).fill(9)

interface Request {
  readonly route: TokenEntry['route']
  readonly signed: SignedText
  readonly body: TokenEntry['body']
}

const requests: fc.Arbitrary<Request> = fc.record({
  route: fc.constantFrom('delegate', 'invoke', 'invoke', 'revoke', 'status'),
  signed: fc.oneof({ weight: 3, arbitrary: plausibleTexts }, ucanTexts, cacaoTexts),
  body: fc.oneof(
    fc.constant({ kind: 'none' as const }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ kind: 'whole' as const, bytes })),
  ),
})

function openContext(
  directory: string,
  storage: StorageUnderTest,
): { readonly context: ComputeContext; readonly close: () => void } {
  const readers = storage.openReaders()
  const staging = openStaging(
    storageOptions(directory).blocks,
    { runNo: 1, runId: 'run' },
    'memory',
  )
  const context: ComputeContext = {
    database: readers.database,
    blocks: readers.blocks,
    staging,
    streams: new Streams(staging),
    secret: SECRET,
    cursorKey: deriveSeed(SECRET, 'cursor'),
    ticketKey: deriveSeed(SECRET, 'ticket'),
    invocationLifetimeS: 300,
    clockSkewS: 0,
    implicitText: 'drop',
    nowS: () => NOW_S,
    randomBytes: (count) => new Uint8Array(count),
  }
  return { context, close: () => readers.close() }
}

interface Outcome {
  readonly result: Result
  /** What the node would answer. */
  readonly status: number
  /** Digest of the token of a command; undefined: compute answered, and nothing was stored. */
  readonly digest: string | undefined
}

function statusOf(result: Result | StorageReply): number {
  if (result.kind === 'failure') return WIRE_ERRORS[result.failure.code].status
  return 'answer' in result ? result.answer.status : 200
}

/** Compute, then storage, as main would have it. */
async function runEntries(
  context: ComputeContext,
  storage: StorageUnderTest,
  entries: readonly TokenEntry[],
): Promise<Outcome[]> {
  const writer = new PackedWriter()
  for (const entry of entries) writeEntry(writer, entry)
  const { results, commands, faults } = await runBatch(context, writer.finish())
  expect(faults).toEqual([])
  const wanted = commands ? readCommands(commands) : []
  const replies = await storage.send(...wanted)
  return [...readResults(results)].map((result) => {
    const index = wanted.findIndex(({ requestId }) => requestId === result.requestId)
    const [command, reply] = [wanted[index], replies[index]]
    const digest = command && toHex(command.digest)
    return { result, status: statusOf(reply ?? result), digest }
  })
}

const entryOf = (
  requestId: number,
  route: TokenEntry['route'],
  authorization: string,
  body: TokenEntry['body'] = { kind: 'none' },
): TokenEntry => ({ kind: 'token', requestId, route, authorization, headers: [], body })

/** By what was signed, not by what the node thinks of it. */
function isRightlySigned({ text, statement, signers }: SignedText): boolean {
  const token = parseToken(text)
  return toHex(token.signingInput) === statement && signers.includes(token.issuer)
}

const directoryOf = useTemporaryDirectory()

it(
  'stores nothing that was not signed',
  async () => {
    const directory = directoryOf()
    const storage = await openStorage(directory)
    const { context, close } = openContext(directory, storage)
    const hosting = signHostDelegation(OWNER, {
      ...SIGNING,
      space: SPACE,
      hostDid: hostDid(SECRET, SPACE),
    })
    const stored = new Set<string>()
    for (const { authorization } of [hosting, SESSION_TOKEN, GUEST_TOKEN]) {
      const [outcome] = await runEntries(context, storage, [entryOf(1, 'delegate', authorization)])
      expect(outcome?.status).toBe(200)
      stored.add(outcome?.digest ?? '')
    }

    const tokens = Math.min(FUZZ_RUNS, TOKENS_MAX)
    const routes = new Map<string, number>()
    for (let first = 0; first < tokens; first += ENTRIES_PER_BATCH) {
      const batch = fc.sample(requests, {
        numRuns: ENTRIES_PER_BATCH,
        seed: (FUZZ_SEED + first) | 0,
      })
      const entries = batch.map(({ route, signed, body }, index) =>
        entryOf(first + index, route, signed.text, body),
      )
      const outcomes = await runEntries(context, storage, entries)
      expect(outcomes.filter(({ status }) => status >= 500 && status !== NOT_HERE)).toEqual([])
      for (const { result, status, digest } of outcomes) {
        const request = batch[result.requestId - first]
        if (!request || digest === undefined) continue
        if (!isRightlySigned(request.signed)) throw new Error(`stored: ${request.signed.text}`)
        if (status !== 200) continue
        stored.add(digest)
        routes.set(request.route, (routes.get(request.route) ?? 0) + 1)
      }
    }
    console.log(
      `fuzz rows: ${tokens} tokens, accepted ${JSON.stringify([...routes])}, seed ${FUZZ_SEED}`,
    )
    expect([...routes.keys()].toSorted()).toEqual(['delegate', 'invoke', 'revoke'])
    expect(storage.deaths).toEqual([])

    close()
    await storage.close()
    const database = new Database(join(directory, 'caps.db'), { readonly: true })
    const digests = database.prepare<[], Buffer>('SELECT digest FROM statement').pluck().all()
    database.close()
    expect(digests.filter((digest) => !stored.has(digest.toString('hex')))).toEqual([])
    expect(digests.length).toBeGreaterThan(3)
  },
  60_000 + FUZZ_RUNS * 20,
)
