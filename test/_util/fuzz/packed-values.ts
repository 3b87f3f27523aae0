/** Everything that travels packed between threads, with fields of every length that they may have. */
import * as fc from 'fast-check'
import { type Answer, type Failure } from '../../../src/protocol/answer.ts'
import { type ChainLink } from '../../../src/protocol/authority.ts'
import { type Entry, type ReplayClaim, type Result } from '../../../src/workers/compute/request.ts'
import {
  type Operation,
  type Precondition,
  type ReliedDelegation,
  type StorageCommand,
  type StorageReply,
} from '../../../src/workers/storage/request.ts'

const exactly = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length })
const digest = exactly(32)
const bytes = fc.uint8Array({ maxLength: 300 })
const text = fc.oneof(
  fc.constantFrom('', 'a', 'é', '💥', '\ufeff', 'tinycloud.kv/get'),
  fc.string({ unit: 'binary', maxLength: 40 }),
)
const texts = fc.array(text, { maxLength: 3 })
const u32 = fc.nat({ max: 2 ** 32 - 1 })
const time = fc.double({ noNaN: true })
const optionalTime = fc.option(time, { nil: undefined })
const number = fc.maxSafeNat()
const headers = fc.array(fc.tuple(text, text), { maxLength: 3 })

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.nat({ max: 999 }),
  headers,
  body: bytes,
})
const failure: fc.Arbitrary<Failure> = fc.record({
  code: fc.constantFrom('INTERNAL', 'TOKEN_MALFORMED', 'NO_SUCH_KEY'),
  detail: text,
})
const claim: fc.Arbitrary<ReplayClaim | undefined> = fc.option(
  fc.record({ id: exactly(16), expiresAtS: time }),
  { nil: undefined },
)
export const entries: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    kind: fc.constant('token' as const),
    requestId: u32,
    route: fc.constantFrom('delegate', 'invoke', 'revoke'),
    authorization: text,
    headers,
    body: fc.oneof(
      fc.record({ kind: fc.constant('none' as const) }),
      fc.record({ kind: fc.constant('whole' as const), bytes }),
      fc.record({
        kind: fc.constant('later' as const),
        declaredBytes: fc.option(number, { nil: undefined }),
      }),
    ),
  }),
  fc.record({
    kind: fc.constant('commit' as const),
    requestId: u32,
    prepared: bytes,
    staged: bytes,
  }),
)

export const results: fc.Arbitrary<Result> = fc.oneof(
  fc.record({ requestId: u32, kind: fc.constant('answer' as const), answer, claim }),
  fc.record({ requestId: u32, kind: fc.constant('failure' as const), failure }),
  fc.record({ requestId: u32, kind: fc.constant('command' as const) }),
  fc.record({
    requestId: u32,
    kind: fc.constant('authorised' as const),
    prepared: bytes,
    heldBytes: number,
    room: fc.option(
      fc.record({ space: fc.string(), usedBytes: number, creditBytes: number, limitBytes: number }),
      { nil: undefined },
    ),
  }),
  fc.record({
    requestId: u32,
    kind: fc.constant('download' as const),
    answer,
    claim,
    streamId: u32,
    bodyBytes: number,
  }),
  fc.record({
    requestId: u32,
    kind: fc.constant('listing' as const),
    answer,
    claim,
    continuation: bytes,
  }),
)

export const replies: fc.Arbitrary<StorageReply> = fc.oneof(
  fc.record({ requestId: u32, kind: fc.constant('answer' as const), answer }),
  fc.record({ requestId: u32, kind: fc.constant('failure' as const), failure }),
)

const link: fc.Arbitrary<ChainLink> = fc.record({ statementId: digest, digest })
const relied: fc.Arbitrary<ReliedDelegation> = fc.record({
  closure: fc.array(link, { maxLength: 3 }),
  effectiveNotBeforeS: optionalTime,
  effectiveExpiresAtS: optionalTime,
})
const relies = fc.array(relied, { maxLength: 2 })
const base = { requestId: u32, statementId: digest, digest }
const encoding = fc.constantFrom('ucan', 'cacao')

const precondition: fc.Arbitrary<Precondition> = fc.oneof(
  fc.record({ kind: fc.constantFrom('none', 'absent') }),
  fc.record({ kind: fc.constant('matches' as const), digest }),
)
const place = {
  spaceIndex: fc.nat({ max: 255 }),
  key: bytes,
  operationDigest: digest,
  operationSection: bytes,
}
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ ...place, kind: fc.constant('delete' as const) }),
  fc.record({
    ...place,
    kind: fc.constant('put' as const),
    digest,
    valueBytes: number,
    headers: text,
    value: fc.oneof(
      fc.record({ kind: fc.constant('packed' as const), section: bytes }),
      fc.record({ kind: fc.constant('staged' as const), stagingNo: number, segments: bytes }),
    ),
  }),
)

export const commands: fc.Arbitrary<StorageCommand> = fc.oneof(
  fc.record({
    ...base,
    kind: fc.constant('mutate' as const),
    expiresAtS: time,
    relies,
    action: text,
    spaces: texts,
    precondition,
    report: fc.constantFrom('etag', 'keys'),
    operations: fc.array(operation, { maxLength: 3 }),
    tokenSection: bytes,
  }),
  fc.record({
    ...base,
    kind: fc.constant('delegate' as const),
    encoding,
    delegator: text,
    delegatee: text,
    notBeforeS: optionalTime,
    expiresAtS: optionalTime,
    issuedAtS: optionalTime,
    effectiveNotBeforeS: optionalTime,
    effectiveExpiresAtS: optionalTime,
    isTerminal: fc.boolean(),
    capabilities: bytes,
    parents: fc.array(digest, { maxLength: 3 }),
    relies,
    accounts: texts,
    spaces: texts,
    hosts: texts,
    tokenSection: bytes,
  }),
  fc.record({ ...base, kind: fc.constant('alias' as const), spaces: texts }),
  fc.record({
    ...base,
    kind: fc.constant('revoke' as const),
    encoding,
    revoker: text,
    target: link,
    targetCid: text,
    relies,
    spaces: texts,
    tokenSection: bytes,
  }),
  fc.record({
    ...base,
    kind: fc.constant('sign' as const),
    ticketId: digest,
    ticket: text,
    signer: text,
    relies,
    action: text,
    spaces: texts,
    spaceIndex: fc.nat({ max: 255 }),
    key: bytes,
    valueDigest: digest,
    expiresAtS: time,
  }),
)
