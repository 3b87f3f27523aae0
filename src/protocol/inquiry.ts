/**
 * What a token raises that only the network can answer, and the answers (DESIGN §2: no task waits for a host that a
 * caller chose).
 *
 * Compute returns the inquiry in place of an outcome, main asks, and the entry is sent again with the answer. So only
 * compute looks into tokens, and nothing is asked for a token that was refused without it.
 */
import { type KeyType, type PublicVerificationKey } from './did.ts'
import { type PackedReader, type PackedWriter } from './packed.ts'

export type Inquiry =
  /** May this node host the space? Asked once signature and rights were found good. Rule: HOST-4. */
  | { readonly kind: 'hosting'; readonly space: string }
  /** With which key does the holder of this `did:web` (or of one of its verification methods) sign? Rule: DID-3. */
  | { readonly kind: 'webKey'; readonly didUrl: string }
  /** Does the contract at this address take the signature for its own? Rule: CACAO-4. */
  | ({ readonly kind: 'contractSignature' } & ContractSignature)

export interface ContractSignature {
  /** Decimal. */
  readonly chainId: string
  /** EIP-55 spelling. */
  readonly address: string
  /** Of the signed text (EIP-191), 32 bytes. */
  readonly hash: Uint8Array
  readonly signature: Uint8Array
}

/** Answers about one token. undefined: not asked. */
export interface NetworkAnswers {
  /** Whether the space that the token would host is allowed. */
  readonly isHostingAllowed?: boolean | undefined
  /** null: there is none. */
  readonly webKey?: PublicVerificationKey | null | undefined
  readonly isContractSignature?: boolean | undefined
}

/** What this node may ask at all. The rest is refused unasked. */
export interface Askable {
  /** There is an allowlist: a space is hosted only if it is on it. */
  readonly hosting: boolean
  readonly webKeys: boolean
  /** Decimal ids of the chains whose contracts can be asked. */
  readonly contractChains: readonly string[]
}

/** A token raises at most two inquiries: about its signature, then about hosting. */
export const INQUIRIES_PER_TOKEN_MAX = 2

export const NO_ANSWERS: NetworkAnswers = Object.freeze({})
export const NOTHING_ASKABLE: Askable = Object.freeze({
  hosting: false,
  webKeys: false,
  contractChains: Object.freeze([]),
})

/** Thrown where a token cannot be decided before this was asked. It is no refusal. */
export class OpenInquiry extends Error {
  override readonly name = 'OpenInquiry'
  readonly inquiry: Inquiry

  constructor(inquiry: Inquiry) {
    super(inquiry.kind)
    this.inquiry = inquiry
  }
}

export function writeInquiry(writer: PackedWriter, inquiry: Inquiry): void {
  if (inquiry.kind === 'hosting') writer.u8(0).text(inquiry.space)
  else if (inquiry.kind === 'webKey') writer.u8(1).text(inquiry.didUrl)
  else {
    const { chainId, address, hash, signature } = inquiry
    writer.u8(2).text(chainId).text(address).bytes(hash).bytes(signature)
  }
}

/** Owned: it outlives the batch that it came in. */
export function readInquiry(reader: PackedReader): Inquiry {
  const kind = reader.u8()
  if (kind === 0) return { kind: 'hosting', space: reader.text() }
  if (kind === 1) return { kind: 'webKey', didUrl: reader.text() }
  return {
    kind: 'contractSignature',
    chainId: reader.text(),
    address: reader.text(),
    hash: new Uint8Array(reader.bytes()),
    signature: new Uint8Array(reader.bytes()),
  }
}

const KEY_TYPES: readonly KeyType[] = ['Ed25519', 'secp256k1', 'P-256']
const NOT_ASKED = 2

export function writeAnswers(writer: PackedWriter, answers: NetworkAnswers): void {
  const { isHostingAllowed, webKey, isContractSignature } = answers
  writer.u8(packVerdict(isHostingAllowed)).u8(packVerdict(isContractSignature))
  writer.u8(packVerdict(webKey === undefined ? undefined : webKey !== null))
  if (webKey) writer.u8(KEY_TYPES.indexOf(webKey.type)).bytes(webKey.publicKey)
}

/** Owned. */
export function readAnswers(reader: PackedReader): NetworkAnswers {
  const isHostingAllowed = unpackVerdict(reader.u8())
  const isContractSignature = unpackVerdict(reader.u8())
  const hasKey = unpackVerdict(reader.u8())
  const webKey = hasKey ? readKey(reader) : hasKey === false ? null : undefined
  return { isHostingAllowed, isContractSignature, webKey }
}

function readKey(reader: PackedReader): PublicVerificationKey {
  const type = KEY_TYPES[reader.u8()]
  if (type === undefined) throw new RangeError('packed key: no such type')
  return { type, publicKey: new Uint8Array(reader.bytes()) }
}

const packVerdict = (verdict: boolean | undefined): number =>
  verdict === undefined ? NOT_ASKED : Number(verdict)

const unpackVerdict = (packed: number): boolean | undefined =>
  packed === NOT_ASKED ? undefined : packed === 1
