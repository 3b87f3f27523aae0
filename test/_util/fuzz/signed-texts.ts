/**
 * Tokens: signed by their issuer with contents that nobody would write, signed by somebody else, and damaged after they
 * were signed.
 *
 * Each comes with what was signed and by whom, so that the tests know without any parser whether it may be valid.
 */
import { p256 } from '@noble/curves/nist.js'
import * as fc from 'fast-check'
import { formatBase64url } from '../../../src/protocol/base64url.ts'
import { concatBytes, toHex, utf8 } from '../../../src/protocol/bytes.ts'
import { secp256k1PublicKey, signSecp256k1 } from '../../../src/protocol/crypto/secp256k1.ts'
import { sha256 } from '../../../src/protocol/crypto/sha256.ts'
import { encodeDagCbor } from '../../../src/protocol/dag-cbor.ts'
import { formatDidKey, formatDidPkh } from '../../../src/protocol/did.ts'
import { formatRecapStatement, formatRecapUri } from '../../../src/protocol/recap.ts'
import { addressOf } from '../../../src/protocol/signature.ts'
import { formatSiwe } from '../../../src/protocol/siwe.ts'
import { type IssuedToken } from '../../../src/protocol/client/issued-token.ts'
import { signKeyDelegation } from '../../../src/protocol/client/key-tokens.ts'
import { signSessionDelegation } from '../../../src/protocol/client/wallet-tokens.ts'
import { GUEST, NOW_S, OWNER, SESSION, SIGNING, SPACE, STRANGER } from '../credentials.ts'
import { editedBytes, editedText } from './edits.ts'
import { jsonTexts } from './json-texts.ts'
import { goodSiweMessages } from './siwe-messages.ts'

/** Who can sign, by the DID under which he does. */
interface Signer {
  /** One key may have several DIDs. */
  readonly key: string
  readonly did: string
  readonly didUrl: string
  readonly algorithm: string
  /** The key in the header, where the DID is only its hash. */
  readonly jwk?: Readonly<Record<string, string>>
  readonly sign: (signingInput: Uint8Array) => Uint8Array
}

const SECRET = Buffer.alloc(32, 0x44)
const POINT = secp256k1PublicKey(SECRET, false)

const unpadded = (bytes: Uint8Array): string => formatBase64url(bytes, { padding: 'none' })
const jwkOf = (curve: string, point: Uint8Array): Record<string, string> => ({
  crv: curve,
  kty: 'EC',
  x: unpadded(point.subarray(1, 33)),
  y: unpadded(point.subarray(33)),
})
const didJwk = (jwk: Readonly<Record<string, string>>): string =>
  `did:jwk:${unpadded(utf8(JSON.stringify(jwk)))}`

const signEs256k = (input: Uint8Array): Uint8Array => signSecp256k1(sha256(input), SECRET).compact
const signEs256 = (input: Uint8Array): Uint8Array =>
  p256.sign(sha256(input), SECRET, { prehash: false, format: 'compact' })

const signerOf = (
  key: string,
  did: string,
  algorithm: string,
  sign: Signer['sign'],
  more: Partial<Signer> = {},
): Signer => ({ key, did, didUrl: did, algorithm, sign, ...more })

const signSession = (input: Uint8Array): Uint8Array => SESSION.sign(input)

const SIGNERS: readonly Signer[] = [
  signerOf('session', SESSION.did, 'EdDSA', signSession, { didUrl: SESSION.didUrl }),
  signerOf('session', didJwk(SESSION.jwk), 'EdDSA', signSession),
  signerOf('guest', GUEST.did, 'EdDSA', (input) => GUEST.sign(input), { didUrl: GUEST.didUrl }),
  signerOf('p256', formatDidKey('P-256', p256.getPublicKey(SECRET, true)), 'ES256', signEs256),
  signerOf('p256', didJwk(jwkOf('P-256', p256.getPublicKey(SECRET, false))), 'ES256', signEs256),
  signerOf(
    'k256',
    formatDidKey('secp256k1', secp256k1PublicKey(SECRET, true)),
    'ES256K',
    signEs256k,
  ),
  signerOf('k256', formatDidPkh('1', addressOf(POINT)), 'ES256K', signEs256k, {
    jwk: jwkOf('secp256k1', POINT),
  }),
]

const principalsOf = (key: string): string[] =>
  SIGNERS.filter((signer) => signer.key === key).map(({ did }) => did)

export interface SignedText {
  readonly text: string
  /** What was signed, in hexadecimal. */
  readonly statement: string
  /** By whom: the principals that have the key which did it. */
  readonly signers: readonly string[]
}

/** What the session may do, and what it has passed on: the chain that honest tokens of this file cite. */
export const SESSION_TOKEN: IssuedToken = signSessionDelegation(OWNER, {
  ...SIGNING,
  audience: SESSION.didUrl,
  abilities: { [`${SPACE}/kv`]: ['tinycloud.kv/get', 'tinycloud.kv/put', 'tinycloud.kv/del'] },
})
export const GUEST_TOKEN: IssuedToken = signKeyDelegation(SESSION, {
  audience: GUEST.did,
  grants: { [`${SPACE}/kv/a`]: ['tinycloud.kv/get'] },
  nonce: 'urn:uuid:0',
  expiresAtS: NOW_S + 3600,
  proofs: [SESSION_TOKEN.cid],
})

const { cid } = SESSION_TOKEN
const text = (value: string): string => JSON.stringify(value)

const grantOf = (uri: string, ability: string): string => `{${text(uri)}:{${text(ability)}:[{}]}}`

/** Members of a payload as JSON texts, so that names can come twice and values can be no JSON at all. */
const goodMembers = (issuer: string): Record<string, string> => ({
  iss: text(issuer),
  aud: text(GUEST.did),
  exp: String(NOW_S + 60.5),
  nnc: text('urn:uuid:1'),
  prf: `[${text(cid)}]`,
  att: grantOf(`${SPACE}/kv/a`, 'tinycloud.kv/put'),
})

const memberChange = fc.tuple(
  fc.constantFrom('iss', 'aud', 'exp', 'nbf', 'nnc', 'prf', 'att', 'fct', 'x', '__proto__'),
  fc.oneof(
    jsonTexts,
    fc.constantFrom(text(GUEST.didUrl), text(OWNER.did), text('did:web:x'), '1e9', '0', 'null'),
    fc.constantFrom(`[${text(cid)},${text(cid)}]`, '[{"a":1}]', `{"urn:x":{"a/b":[{"a":1}]}}`),
    fc.constantFrom(
      grantOf(`${SPACE}/kv/b`, 'tinycloud.kv/del'),
      grantOf(`${SPACE}/kv/b`, 'tinycloud.kv/get'),
      grantOf(`urn:cid:${GUEST_TOKEN.cid}`, 'tinycloud.delegation/revoke'),
    ),
  ),
  fc.boolean(),
)

/** The object with some members replaced, added, or written twice. */
function objectText(
  members: Record<string, string>,
  changes: readonly (readonly [string, string, boolean])[],
): string {
  const entries = Object.entries(members)
  for (const [name, value, isRepeated] of changes) {
    const index = entries.findIndex(([known]) => known === name)
    if (index === -1 || isRepeated) entries.push([name, value])
    else entries[index] = [name, value]
  }
  return `{${entries.map(([name, value]) => `${text(name)}:${value}`).join(',')}}`
}

const LONG_JWK = JSON.stringify({ ...jwkOf('secp256k1', POINT), note: 'x'.repeat(4096) })
const headerChange = fc.tuple(
  fc.constantFrom('alg', 'typ', 'ucv', 'jwk', 'crit', 'kid'),
  fc.constantFrom(
    '"EdDSA"',
    '"none"',
    '"ES256"',
    '"JWT"',
    '"0.9.0"',
    '{}',
    '["x"]',
    'null',
    '1',
    LONG_JWK,
  ),
  fc.boolean(),
)
const segment = (json: string): string => unpadded(utf8(json))

/** A UCAN whose signature is true, whatever it says. */
const ucans: fc.Arbitrary<SignedText> = fc
  .tuple(
    fc.constantFrom(...SIGNERS),
    fc.constantFrom(...SIGNERS),
    fc.constantFrom('own', 'own', 'own', 'url', 'foreign'),
    fc.array(memberChange, { maxLength: 2 }),
    fc.array(headerChange, { maxLength: 1 }),
  )
  .map(([signer, other, issuing, changes, headerChanges]) => {
    const issuer = { own: signer.did, url: signer.didUrl, foreign: other.did }[issuing]
    const header = objectText(
      {
        alg: text(signer.algorithm),
        typ: '"JWT"',
        ucv: '"0.10.0"',
        ...(signer.jwk && { jwk: JSON.stringify(signer.jwk) }),
      },
      headerChanges,
    )
    const statement = `${segment(header)}.${segment(objectText(goodMembers(issuer), changes))}`
    const signature = signer.sign(utf8(statement))
    return {
      text: `${statement}.${unpadded(signature)}`,
      statement: toHex(utf8(statement)),
      signers: principalsOf(signer.key),
    }
  })

/** What a session asks for when all is well. */
const PURPOSES: readonly Record<string, string>[] = [
  { att: grantOf(`${SPACE}/kv/a`, 'tinycloud.kv/put') },
  { att: grantOf(`${SPACE}/kv/a`, 'tinycloud.kv/del') },
  { att: grantOf(`${SPACE}/kv/a`, 'tinycloud.kv/get') },
  { att: grantOf(`${SPACE}/kv/a`, 'tinycloud.kv/get'), aud: text(STRANGER.did) },
  { att: grantOf(`urn:cid:${GUEST_TOKEN.cid}`, 'tinycloud.delegation/revoke') },
]

const plausible: fc.Arbitrary<SignedText> = fc
  .tuple(
    fc.constantFrom(...PURPOSES),
    fc.nat(),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(memberChange, { maxLength: 1 })),
  )
  .map(([purpose, nonce, changes]) => {
    const members = { ...goodMembers(SESSION.did), ...purpose, nnc: text(`urn:uuid:${nonce}`) }
    const header = segment('{"alg":"EdDSA","typ":"JWT","ucv":"0.10.0"}')
    const statement = `${header}.${segment(objectText(members, changes))}`
    return {
      text: `${statement}.${unpadded(SESSION.sign(utf8(statement)))}`,
      statement: toHex(utf8(statement)),
      signers: principalsOf('session'),
    }
  })

const ABILITIES = { [`${SPACE}/kv`]: ['tinycloud.kv/get', 'tinycloud.kv/put'] }
const RECAP = formatRecapUri({ abilities: ABILITIES, proofs: [] })

/** Other fields than those that were signed, or the same ones in other words. */
const payloadChange = fc.tuple(
  fc.constantFrom(
    'iss',
    'aud',
    'exp',
    'nbf',
    'statement',
    'resources',
    'version',
    'domain',
    'nonce',
    'chain',
    'request_id',
  ),
  fc.constantFrom<unknown>(
    OWNER.did,
    OWNER.did.toLowerCase(),
    STRANGER.did,
    GUEST.did,
    '2099-01-01T00:00:00Z',
    [RECAP],
    [],
    ['urn:x', RECAP],
    1,
    1n,
    2,
    null,
    '',
    'a\nb',
    new Uint8Array(3),
    {},
  ),
)

const signatureChange = fc.oneof(
  { weight: 4, arbitrary: fc.constant((bytes: Uint8Array) => bytes) },
  fc
    .nat({ max: 255 })
    .map((v) => (bytes: Uint8Array) => concatBytes([bytes.slice(0, 64), Uint8Array.of(v)])),
  fc.nat({ max: 64 }).map((length) => (bytes: Uint8Array) => bytes.slice(0, length)),
)

const cacaos: fc.Arbitrary<SignedText> = fc
  .tuple(
    fc.constantFrom(OWNER, STRANGER),
    goodSiweMessages,
    fc.boolean(),
    fc.array(payloadChange, { maxLength: 1 }),
    signatureChange,
  )
  .map(([wallet, base, hasRecap, changes, changeSignature]) => {
    const message = hasRecap
      ? { ...base, statement: formatRecapStatement(ABILITIES), resources: [RECAP] }
      : base
    const signed = formatSiwe(message)
    const members = {
      iss: `did:pkh:eip155:${message.chainId}:${message.address}`,
      aud: message.uri,
      domain: message.domain,
      version: 1,
      nonce: message.nonce,
      iat: message.issuedAt,
      exp: message.expirationTime,
      nbf: message.notBefore,
      statement: message.statement,
      scheme: message.scheme,
      request_id: message.requestId,
      resources: message.resources,
    }
    const present = Object.entries({ ...members, ...Object.fromEntries(changes) }).filter(
      ([, value]) => value !== undefined,
    )
    const bytes = encodeDagCbor({
      h: { t: 'eip4361' },
      p: Object.fromEntries(present),
      s: { t: 'eip191', s: changeSignature(wallet.signMessage(signed)) },
    })
    return {
      text: formatBase64url(bytes, { padding: 'required' }),
      statement: toHex(utf8(signed)),
      signers: [`did:pkh:eip155:${message.chainId}:${wallet.address}`],
    }
  })

const damaged = (tokens: fc.Arbitrary<SignedText>): fc.Arbitrary<SignedText> =>
  tokens.chain((token) =>
    editedText(fc.constant(token.text)).map((changed) => ({ ...token, text: changed })),
  )

/** Damaged below the base64: the JSON or the CBOR itself. */
const damagedInside = (tokens: fc.Arbitrary<SignedText>): fc.Arbitrary<SignedText> =>
  tokens.chain((token) => {
    const parts = token.text.split('.')
    const padding = parts.length === 1 ? ('required' as const) : ('none' as const)
    return fc.nat({ max: parts.length - 1 }).chain((index) => {
      const bytes = new Uint8Array(Buffer.from(parts[index] ?? '', 'base64url'))
      return editedBytes(fc.constant(bytes)).map((changed) => ({
        ...token,
        text: parts.with(index, formatBase64url(changed, { padding })).join('.'),
      }))
    })
  })

export const ucanTexts: fc.Arbitrary<SignedText> = fc.oneof(
  { weight: 3, arbitrary: ucans },
  { weight: 1, arbitrary: damaged(ucans) },
  { weight: 1, arbitrary: damagedInside(ucans) },
)

/** Honest tokens of a session, and honest tokens that were damaged. */
export const plausibleTexts: fc.Arbitrary<SignedText> = fc.oneof(
  { weight: 2, arbitrary: plausible },
  { weight: 1, arbitrary: damaged(plausible) },
  { weight: 1, arbitrary: damagedInside(plausible) },
)

export const cacaoTexts: fc.Arbitrary<SignedText> = fc.oneof(
  { weight: 3, arbitrary: cacaos },
  { weight: 1, arbitrary: damaged(cacaos) },
  { weight: 1, arbitrary: damagedInside(cacaos) },
)
