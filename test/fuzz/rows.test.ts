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
import { hostDid } from '../../src/protocol/host-key.ts'
import { parseToken } from '../../src/protocol/token.ts'
import {
  NODE_SECRET,
  openComputeAndStorage,
  type TokenRequest,
} from '../_util/compute-and-storage.ts'
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
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const ENTRIES_PER_BATCH = 32
/** Each entry goes through the whole node but for its sockets. */
const TOKENS_MAX = 200_000
/** A service or a batch that this node does not have; all else from 500 on is our fault. */
const NOT_HERE = 501
interface SignedRequest {
  readonly route: TokenRequest['route']
  readonly signed: SignedText
  readonly body: NonNullable<TokenRequest['body']>
}

const requests: fc.Arbitrary<SignedRequest> = fc.record({
  route: fc.constantFrom('delegate', 'invoke', 'invoke', 'revoke', 'status'),
  signed: fc.oneof({ weight: 3, arbitrary: plausibleTexts }, ucanTexts, cacaoTexts),
  body: fc.oneof(
    fc.constant({ kind: 'none' as const }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ kind: 'whole' as const, bytes })),
  ),
})

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
    const node = await openComputeAndStorage(directory, NOW_S)
    const hosting = signHostDelegation(OWNER, {
      ...SIGNING,
      space: SPACE,
      hostDid: hostDid(NODE_SECRET, SPACE),
    })
    const stored = new Set<string>()
    for (const { authorization } of [hosting, SESSION_TOKEN, GUEST_TOKEN]) {
      const [outcome] = await node.send([{ route: 'delegate', authorization }])
      expect(outcome?.status).toBe(200)
      stored.add(outcome?.digest ?? '')
    }

    const tokens = Math.min(FUZZ_RUNS, TOKENS_MAX)
    const routes = new Map<string, number>()
    for (let first = 0; first < tokens; first += ENTRIES_PER_BATCH) {
      const seed = (FUZZ_SEED + first) | 0
      const batch = fc.sample(requests, { numRuns: ENTRIES_PER_BATCH, seed })
      const outcomes = await node.send(
        batch.map(({ route, signed, body }) => ({ route, authorization: signed.text, body })),
      )
      expect(outcomes.filter(({ status }) => status >= 500 && status !== NOT_HERE)).toEqual([])
      for (const [index, { status, digest }] of outcomes.entries()) {
        const request = batch[index]
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
    expect(node.storage.deaths).toEqual([])

    await node.close()
    const database = new Database(join(directory, 'caps.db'), { readonly: true })
    const digests = database.prepare<[], Buffer>('SELECT digest FROM statement').pluck().all()
    database.close()
    expect(digests.filter((digest) => !stored.has(digest.toString('hex')))).toEqual([])
    expect(digests.length).toBeGreaterThan(3)
  },
  60_000 + FUZZ_RUNS * 20,
)
