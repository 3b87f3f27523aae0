/**
 * CACAO (CAIP-74): a SIWE message with its signature as DAG-CBOR, `{h: {t}, p: {…}, s: {t, s}}`, in an `Authorization`
 * header as base64url with padding (reference-behaviour §2.1, §2.3).
 *
 * The map is a carrier and no more: only the text rebuilt from it is signed. So authority comes from the text alone,
 * and whatever else the map holds is ignored.
 */
import { type Capability, type SignedToken } from './authority.ts'
import { parseAttenuation } from './attenuation.ts'
import { formatBase64url, parseBase64url } from './base64url.ts'
import { utf8 } from './bytes.ts'
import { NO_CAVEATS } from './caveats.ts'
import {
  claim,
  type ClaimsObject,
  optionalTextArrayClaim,
  optionalTextClaim,
  textClaim,
} from './claims.ts'
import { blake3 } from './crypto/blake3.ts'
import { decodeDagCbor, encodeDagCbor } from './dag-cbor.ts'
import { formatDidPkh, normalizePrincipal } from './did.ts'
import { ProtocolError } from './error.ts'
import { asObject } from './json.ts'
import { CONTRACT_SIGNATURE_BYTES_MAX, TOKEN_DEPTH_MAX } from './limits.ts'
import { parseProofs } from './proof-cid.ts'
import { formatRecapStatement, isRecapUri, parseRecapUri, type Recap } from './recap.ts'
import { parseRfc3339 } from './rfc3339.ts'
import { formatSiwe, type SiweMessage } from './siwe.ts'

export const CACAO_ALGORITHM = 'eip191'
const CONTRACT_ALGORITHM = 'eip1271'
const HEADER_TYPE = 'eip4361'
const SIWE_VERSION = 1
const SIGNATURE_BYTES = 65
const ACCOUNT_DID = /^did:pkh:eip155:(\d+):(0x[0-9a-fA-F]{40})$/

/** Whether contract wallets of the chain may sign. Units: decimal id, as the token has it. */
export type IsContractChain = (chainId: string) => boolean

/**
 * Decodes a token and the capabilities of its ReCap. Nothing is verified but that the statement says what it grants.
 *
 * Rule: CACAO-1, CACAO-4.
 * @throws {ProtocolError} TOKEN_MALFORMED | SIWE_STATEMENT_INVALID
 */
export function parseCacao(
  text: string,
  isContractChain: IsContractChain = () => false,
): SignedToken {
  const bytes = parseBase64url(text, { padding: 'required' })
  const cacao = asObject(decodeDagCbor(bytes, { depthMax: TOKEN_DEPTH_MAX }))
  const { type, signature } = parseEnvelope(cacao)
  const payload = asObject(claim(cacao, 'p'))
  const issuerUrl = textClaim(payload, 'iss')
  const message = parsePayload(payload, issuerUrl)
  assertSignatureForm(type, signature, isContractChain(message.chainId))
  const recap = recapOf(message)
  const capabilities = capabilitiesOf(recap)
  if (recap !== undefined) assertStatement(message, recap)
  return {
    encoding: 'cacao',
    text,
    bytes,
    digest: blake3(bytes),
    issuer: formatDidPkh(message.chainId, message.address),
    audience: principalOf(message.uri),
    issuerUrl,
    audienceUrl: message.uri,
    notBeforeS: optionalTime(message.notBefore),
    expiresAtS: optionalTime(message.expirationTime),
    issuedAtS: parseRfc3339(message.issuedAt),
    capabilities,
    proofs: parseProofs(recap?.proofs ?? []),
    facts: [],
    signingInput: utf8(formatSiwe(message)),
    signature,
    algorithm: type,
    headerJwk: undefined,
  }
}

/** The signature and its type, after a look at what kind of token this is. */
function parseEnvelope(cacao: ClaimsObject): { type: string; signature: Uint8Array } {
  const envelope = asObject(claim(cacao, 's'))
  const signature = claim(envelope, 's')
  if (textClaim(asObject(claim(cacao, 'h')), 't') !== HEADER_TYPE) throw malformed('header type')
  if (!(signature instanceof Uint8Array)) throw malformed('signature')
  return { type: textClaim(envelope, 't'), signature }
}

/** A key signs in 65 bytes; what a contract takes for a signature is its own affair, within a limit. */
function assertSignatureForm(type: string, signature: Uint8Array, mayBeContract: boolean): void {
  const isOfKey = type === CACAO_ALGORITHM && signature.length === SIGNATURE_BYTES
  const isOfContract =
    mayBeContract &&
    (type === CACAO_ALGORITHM || type === CONTRACT_ALGORITHM) &&
    signature.length > 0 &&
    signature.length <= CONTRACT_SIGNATURE_BYTES_MAX
  if (!isOfKey && !isOfContract) throw malformed('signature')
}

function parsePayload(payload: ClaimsObject, issuer: string): SiweMessage {
  const account = ACCOUNT_DID.exec(normalizePrincipal(issuer))
  if (!account || issuer.includes('#')) throw malformed('iss is not a did:pkh:eip155')
  if (claim(payload, 'version') !== SIWE_VERSION) throw malformed('version')
  const [, chainId = '', address = ''] = account
  const resources = optionalTextArrayClaim(payload, 'resources')
  return {
    scheme: optionalTextClaim(payload, 'scheme'),
    domain: textClaim(payload, 'domain'),
    address,
    statement: optionalTextClaim(payload, 'statement'),
    uri: textClaim(payload, 'aud'),
    chainId,
    nonce: textClaim(payload, 'nonce'),
    issuedAt: textClaim(payload, 'iat'),
    expirationTime: optionalTextClaim(payload, 'exp'),
    notBefore: optionalTextClaim(payload, 'nbf'),
    requestId: optionalTextClaim(payload, 'request_id'),
    // Without entries the text has no line for them.
    resources: resources?.length === 0 ? undefined : resources,
  }
}

/** RECAP-1: only the last resource counts (reference-behaviour §2.3). */
function recapOf({ resources }: SiweMessage): Recap | undefined {
  const last = resources?.at(-1)
  return last !== undefined && isRecapUri(last) ? parseRecapUri(last) : undefined
}

/**
 * RECAP-2: the statement ends with what the ReCap grants.
 * @throws {ProtocolError} SIWE_STATEMENT_INVALID: the signer has read something else
 */
function assertStatement({ statement }: SiweMessage, { abilities }: Recap): void {
  if (!statement?.endsWith(formatRecapStatement(abilities))) {
    throw new ProtocolError('SIWE_STATEMENT_INVALID')
  }
}

function capabilitiesOf(recap: Recap | undefined): Capability[] {
  if (recap === undefined) return []
  const attenuation = Object.fromEntries(
    Object.entries(recap.abilities).map(([uri, names]) => [
      uri,
      Object.fromEntries(names.map((name) => [name, undefined])),
    ]),
  )
  return parseAttenuation(attenuation, () => NO_CAVEATS)
}

/** The URI of a revocation is `ucan:‹cid›`, of a sign-in elsewhere anything: only a DID is a principal. */
const principalOf = (uri: string): string =>
  uri.startsWith('did:') ? normalizePrincipal(uri) : uri

const optionalTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : parseRfc3339(text)

/** The header text of a signed message. `signature`: 65 bytes, r ‖ s ‖ v. */
export function formatCacao(message: SiweMessage, signature: Uint8Array): string {
  const payload = {
    scheme: message.scheme,
    domain: message.domain,
    iss: formatDidPkh(message.chainId, message.address),
    aud: message.uri,
    version: SIWE_VERSION,
    nonce: message.nonce,
    iat: message.issuedAt,
    exp: message.expirationTime,
    nbf: message.notBefore,
    statement: message.statement,
    request_id: message.requestId,
    resources: message.resources,
  }
  const present = Object.entries(payload).filter(([, value]) => value !== undefined)
  const bytes = encodeDagCbor({
    h: { t: HEADER_TYPE },
    p: Object.fromEntries(present),
    s: { t: CACAO_ALGORITHM, s: signature },
  })
  return formatBase64url(bytes, { padding: 'required' })
}

const malformed = (detail: string): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', `CACAO: ${detail}`)
