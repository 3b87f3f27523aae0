/** A good UCAN that can be spoiled at every step of its making. */
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import { type ClaimsObject } from '../../src/protocol/claims.ts'
import { type SessionKey } from '../../src/protocol/client/session-key.ts'
import { type ErrorCode } from '../../src/protocol/error.ts'
import { type BadCase, type Expected, type Stage, tokenCase } from './bad-input.ts'
import { newNonce, nowS } from './client.ts'

/** Steps of making a token that can be spoiled, in their order. Without any the token is good. */
export interface UcanSteps {
  readonly header?: (header: ClaimsObject) => unknown
  readonly payload?: (payload: ClaimsObject, stage: Stage) => unknown
  readonly headerText?: (json: string) => string | Uint8Array
  readonly payloadText?: (json: string, stage: Stage) => string | Uint8Array
  readonly sign?: (input: Uint8Array, key: SessionKey) => Uint8Array
  readonly token?: (text: string) => string
}

let keysWritten = 0

/** A put of the victim's session on a key of its own, in every part as the steps leave it. */
export function spoilUcan(stage: Stage, steps: UcanSteps): string {
  const { key, cid, space } = stage.victim
  keysWritten += 1
  const header = { alg: 'EdDSA', jwk: key.jwk, typ: 'JWT', ucv: '0.10.0' }
  const payload = {
    att: { [`${space}/kv/bad/${keysWritten}`]: { 'tinycloud.kv/put': [{}] } },
    aud: key.did,
    exp: nowS() + 60,
    iss: key.didUrl,
    nnc: newNonce(),
    prf: [cid],
  }
  const headerJson = JSON.stringify(steps.header?.(header) ?? header)
  const payloadJson = JSON.stringify(steps.payload ? steps.payload(payload, stage) : payload)
  const segments = [
    steps.headerText?.(headerJson) ?? headerJson,
    steps.payloadText?.(payloadJson, stage) ?? payloadJson,
  ].map(formatSegment)
  const input = utf8(segments.join('.'))
  const signature = steps.sign?.(input, key) ?? key.sign(input)
  const text = [...segments, formatBase64url(signature, { padding: 'none' })].join('.')
  return steps.token?.(text) ?? text
}

export const formatSegment = (content: string | Uint8Array): string =>
  formatBase64url(typeof content === 'string' ? utf8(content) : content, { padding: 'none' })

export type UcanRow = readonly [name: string, expected: Expected | ErrorCode, steps: UcanSteps]

export const toExpected = (expected: Expected | ErrorCode): Expected =>
  typeof expected === 'string' ? { code: expected } : expected

export const ucanCases = (rows: readonly UcanRow[]): BadCase[] =>
  rows.map(([name, expected, steps]) =>
    tokenCase('/invoke', name, toExpected(expected), (stage) => ({
      authorization: spoilUcan(stage, steps),
      body: 'stored',
    })),
  )

export const without = (object: ClaimsObject, name: string): ClaimsObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

export const withClaim =
  (name: string, value: unknown) =>
  (object: ClaimsObject): ClaimsObject => ({ ...object, [name]: value })

/** `att` with the victim's put and what is added. */
export const withAtt =
  (make: (stage: Stage) => unknown) =>
  (payload: ClaimsObject, stage: Stage): ClaimsObject => ({ ...payload, att: make(stage) })

export const putOn =
  (suffix: string) =>
  ({ victim }: Pick<Stage, 'victim'>): ClaimsObject => ({
    [victim.space + suffix]: { 'tinycloud.kv/put': [{}] },
  })
