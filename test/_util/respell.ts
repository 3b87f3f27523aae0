/** Other bytes for the same signed statement (TOKEN-6): each has a CID of its own and says nothing new. */
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { concatBytes } from '../../src/protocol/bytes.ts'
import { type ClaimsObject } from '../../src/protocol/claims.ts'
import { type IssuedToken, issuedToken } from '../../src/protocol/client/issued-token.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { membersOf, present } from './narrow.ts'

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const SCALAR_BYTES = 32
/** r ‖ s ‖ v */
const RECOVERY_OFFSET = 64
const CBOR_MAP = 0xa0

interface Cacao {
  readonly h: ClaimsObject
  readonly p: ClaimsObject
  readonly s: ClaimsObject
}

export function readCacao(authorization: string): Cacao {
  const bytes = parseBase64url(authorization, { padding: 'required' })
  const { h, p, s } = membersOf(decodeDagCbor(bytes, { depthMax: 8 }))
  return { h: membersOf(h), p: membersOf(p), s: membersOf(s) }
}

export function cacaoToken(bytes: Uint8Array): IssuedToken {
  return issuedToken(formatBase64url(bytes, { padding: 'required' }), bytes)
}

/** r ‖ s ‖ v, a copy. */
export function signatureOf({ s }: Cacao): Buffer {
  const bytes = s['s']
  if (!(bytes instanceof Uint8Array)) throw new Error('a CACAO without signature')
  return Buffer.from(bytes)
}

function withSignature(authorization: string, change: (signature: Buffer) => void): IssuedToken {
  const cacao = readCacao(authorization)
  const signature = signatureOf(cacao)
  change(signature)
  return cacaoToken(encodeDagCbor({ ...cacao, s: { ...cacao.s, s: signature } }))
}

/** The order of the curve less `s`, in place. */
export function negateScalar(signature: Buffer): void {
  const s = BigInt(`0x${signature.toString('hex', SCALAR_BYTES, RECOVERY_OFFSET)}`)
  signature.write(
    (CURVE_ORDER - s).toString(16).padStart(2 * SCALAR_BYTES, '0'),
    SCALAR_BYTES,
    'hex',
  )
}

/** The other solution of the same signature: n − s, with the other recovery id. */
export const withOtherScalar = (authorization: string): IssuedToken =>
  withSignature(authorization, (signature) => {
    negateScalar(signature)
    signature[RECOVERY_OFFSET] = 27 + 28 - present(signature[RECOVERY_OFFSET])
  })

/** The recovery id as 0 or 1, where wallets write 27 or 28. */
export const withBareRecovery = (authorization: string): IssuedToken =>
  withSignature(authorization, (signature) => {
    signature[RECOVERY_OFFSET] = present(signature[RECOVERY_OFFSET]) - 27
  })

/** A map in another order of keys. */
function encodeMap(entries: readonly (readonly [name: string, value: Uint8Array])[]): Uint8Array {
  return concatBytes([
    Uint8Array.of(CBOR_MAP + entries.length),
    ...entries.flatMap(([name, value]) => [encodeDagCbor(name), value]),
  ])
}

/** The map with its members in another order, at the top and inside. */
export function withOtherOrder(authorization: string): IssuedToken {
  const { h, p, s } = readCacao(authorization)
  const payload = Object.entries(p).toReversed()
  return cacaoToken(
    encodeMap([
      ['s', encodeDagCbor(s)],
      ['p', encodeMap(payload.map(([name, value]) => [name, encodeDagCbor(value)]))],
      ['h', encodeDagCbor(h)],
    ]),
  )
}

/** A member that nobody signed and nobody reads. */
export function withExtraMember(authorization: string): IssuedToken {
  return cacaoToken(encodeDagCbor({ ...readCacao(authorization), note: 'anything' }))
}

/** Every way of this file, by name. */
export const CACAO_SPELLINGS: Readonly<Record<string, (authorization: string) => IssuedToken>> = {
  'the other s': withOtherScalar,
  'v as 0 or 1': withBareRecovery,
  'members in another order': withOtherOrder,
  'an extra member': withExtraMember,
}
