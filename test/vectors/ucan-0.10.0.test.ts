/**
 * The suite writes UCAN 0.10.0 as its specification has it: version in the payload, rights under `cap`. The protocol
 * writes the version in the header and rights under `att` (reference-behaviour §2.2). So every token is refused as it
 * stands; its meaning is tested on a translation, signed by keys of our own in place of those of the suite.
 */
import { expect, it } from 'vitest'
import { utf8 } from '../../src/protocol/bytes.ts'
import { proveDelegation } from '../../src/protocol/chain.ts'
import { BLAKE3_CODE, formatRawCid, parseCid } from '../../src/protocol/cid.ts'
import { createSessionKey, type SessionKey } from '../../src/protocol/client/session-key.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { verifyEd25519 } from '../../src/protocol/crypto/ed25519.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { parseDidKey } from '../../src/protocol/did.ts'
import { assertTimeWindow, parseToken, verifyToken } from '../../src/protocol/token.ts'
import { formatUcan } from '../../src/protocol/ucan.ts'
import { codeOf, factsOf } from '../_util/credentials.ts'
import { describeVectors, type VectorTally } from '../_util/vectors.ts'

type Members = Record<string, unknown>

interface Case {
  readonly name: string
  readonly inputs: { readonly token: string; readonly proofs: Record<string, string> }
  readonly errors?: readonly string[]
}

interface BuildCase {
  readonly name: string
  readonly inputs: {
    readonly issuer_base64_key: string
    readonly version: string
    readonly audience: string
    readonly expiration: number | null
    readonly not_before?: number
    readonly facts?: Members
    readonly capabilities: Members
  }
  readonly outputs: { readonly token: string }
}

/** Between all windows of the suite. */
const NOW_S = 1_800_000_000
/** `exp: null` is "no end" there, and no token here. */
const NO_END_S = 20_000_000_000
/** Where a case is about proofs and grants nothing: without rights nothing is passed on, and no proof is looked at. */
const SAME_RIGHT = { 'urn:example:same': { 'example/same': [{}] } }

const DEVIATIONS: Readonly<Record<string, string>> = {
  'UCAN capability attenuates existing caveats':
    'a condition that the protocol does not know is repeated exactly',
  'UCAN payload fct field is not a JSON object': 'null counts as absent',
}

const segmentOf = (token: string, index: number): Members =>
  JSON.parse(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString())

const keyFor = (did: unknown): SessionKey => createSessionKey(blake3(utf8(String(did))))
const didFor = (did: unknown): unknown =>
  typeof did === 'string' && did.startsWith('did:key:') ? keyFor(did).did : did

/** The same claims in the dialect of the protocol; what is missing or of another type stays so. */
function translate(
  token: string,
  isAboutProofs: boolean,
  cids: ReadonlyMap<string, string>,
): string {
  const { ucv, ...header } = { ...segmentOf(token, 0), ...pick(segmentOf(token, 1), 'ucv') }
  const { ucv: _moved, cap, iss, aud, exp, fct, prf, ...rest } = segmentOf(token, 1)
  const payload: Members = {
    ...rest,
    ...(cap !== undefined && { att: isAboutProofs && isEmpty(cap) ? SAME_RIGHT : cap }),
    ...(iss !== undefined && { iss: didFor(iss) }),
    ...(aud !== undefined && { aud: didFor(aud) }),
    ...(exp !== undefined && { exp: exp ?? NO_END_S }),
    ...(fct !== undefined && { fct: isObject(fct) ? [fct] : fct }),
    prf: Array.isArray(prf) ? prf.map((cid: string) => cids.get(cid) ?? cid) : (prf ?? []),
  }
  return formatUcan({
    header: { ...header, ...(ucv !== undefined && { ucv }) },
    payload,
    sign: (signingInput) => keyFor(iss).sign(signingInput),
  })
}

const pick = (members: Members, name: string): Members =>
  Object.hasOwn(members, name) ? { [name]: members[name] } : {}
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/**
 * The code with which the case is refused; undefined: it is accepted. `addressed`: the proofs are taken as addressed to
 * the issuer, which two cases about time forgot to do.
 */
function verdict(
  { inputs: { token, proofs } }: Case,
  { addressed = false }: { addressed?: boolean } = {},
): string | undefined {
  const cids = new Map<string, string>()
  const isAboutProofs = Object.keys(proofs).length > 0
  const parents = Object.entries(proofs).map(([cid, proof]) => {
    const parsed = parseToken(translate(proof, isAboutProofs, cids))
    cids.set(cid, formatRawCid(parsed.digest))
    return factsOf(parsed)
  })
  return codeOf(() => {
    const parsed = parseToken(translate(token, isAboutProofs, cids))
    verifyToken(parsed)
    assertTimeWindow(parsed, NOW_S, 0, 'DELEGATION_TIME')
    const delegatee = addressed ? { delegatee: parsed.issuer } : {}
    if (isAboutProofs)
      proveDelegation(
        parsed,
        parents.map((facts) => ({ ...facts, ...delegatee })),
      )
  })
}

/** As it stands every token is refused; translated it is accepted or refused. */
function expectVerdict(vector: Case, isAccepted: boolean): void {
  expect(codeOf(() => parseToken(vector.inputs.token))).toBe('TOKEN_MALFORMED')
  expect(verdict(vector) === undefined).toBe(isAccepted)
}

function checkAll(cases: readonly Case[], tally: VectorTally, isAccepted: boolean): void {
  for (const vector of cases) {
    const reason = DEVIATIONS[vector.name]
    if (reason === undefined) tally.check(vector.name, () => expectVerdict(vector, isAccepted))
    else tally.deviate(vector.name, reason, () => expectVerdict(vector, !isAccepted))
  }
}

describeVectors('ucan-0.10.0', (folder, tally) => {
  it('accepts what the suite accepts', () => {
    const cases: Case[] = folder.json('verify.json')
    checkAll(cases, tally, true)
    for (const { inputs } of cases) {
      const [header, payload, signature = ''] = inputs.token.split('.')
      const { publicKey } = parseDidKey(String(segmentOf(inputs.token, 1)['iss']))
      const signed = utf8(`${header}.${payload}`)
      expect(verifyEd25519(Buffer.from(signature, 'base64url'), signed, publicKey)).toBe(true)
    }
  })

  it('refuses what the suite refuses', () => {
    checkAll(folder.json('refute.json'), tally, false)
    expect(tally.passed).toBeGreaterThan(30)
  })

  it('refuses a wrong chain for the reason that the suite names', () => {
    const codes = new Map<string, string | undefined>()
    const cases: Case[] = folder.json('refute.json')
    for (const vector of cases) {
      const kind = String(vector.errors)
      if (!/timeBounds|invalidDelegation/.test(kind)) continue
      codes.set(vector.name, verdict(vector, { addressed: kind === 'timeBoundsViolation' }))
    }
    expect(Object.fromEntries(codes)).toEqual({
      'UCAN expires after proofs': 'CHILD_EXPIRY',
      'UCAN ready before proofs': 'CHILD_NOT_BEFORE',
      'UCAN issuer does not match proof audience': 'UNAUTHORIZED_DELEGATOR',
      'UCAN claims a capability that has not been delegated': 'UNAUTHORIZED_CAPABILITY',
      'UCAN escalates by adding a new caveat': 'CHILD_CAVEATS',
      'UCAN escalates to no caveats': 'CHILD_CAVEATS',
      'UCAN escalates by adding a different caveat': 'CHILD_CAVEATS',
    })
  })

  it('builds tokens to the byte', () => {
    const cases: BuildCase[] = folder.json('build.json')
    for (const { name, inputs, outputs } of cases) {
      const key = createSessionKey(Buffer.from(inputs.issuer_base64_key, 'base64').subarray(0, 32))
      const { not_before: nbf, facts: fct } = inputs
      const token = formatUcan({
        header: { alg: 'EdDSA', typ: 'JWT' },
        payload: {
          ucv: inputs.version,
          iss: key.did,
          aud: inputs.audience,
          exp: inputs.expiration,
          cap: inputs.capabilities,
          ...(nbf !== undefined && { nbf }),
          ...(fct !== undefined && { fct }),
        },
        sign: (signingInput) => key.sign(signingInput),
      })
      tally.check(name, () => expect(token).toBe(outputs.token))
    }
  })

  it('names tokens by the same CIDs', () => {
    const cases: {
      name: string
      inputs: { token: string; hasher: string }
      outputs: { cid: string }
    }[] = folder.json('cid.json')
    for (const { name, inputs, outputs } of cases) {
      const bytes = utf8(inputs.token)
      const { hashCode, digest } = parseCid(outputs.cid)
      const isBlake3 = inputs.hasher === 'BLAKE3-256'
      tally.check(name, () => {
        expect(hashCode === BLAKE3_CODE).toBe(isBlake3)
        expect(Buffer.from(digest)).toEqual(Buffer.from(isBlake3 ? blake3(bytes) : sha256(bytes)))
        expect(formatRawCid(blake3(bytes)) === outputs.cid).toBe(isBlake3)
      })
    }
    expect(tally.cases).toBe(55)
  })
})
