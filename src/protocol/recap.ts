/**
 * ReCap (ERC-5573): capabilities inside a SIWE message, once as the last resource, `urn:recap:‹base64url of JSON›`, and
 * once as a sentence that the signer has read.
 */
import { formatBase64url, parseBase64url } from './base64url.ts'
import { parseUtf8, utf8 } from './bytes.ts'
import { assertRecapCaveats } from './caveats.ts'
import { claim, optionalTextArrayClaim } from './claims.ts'
import { ProtocolError } from './error.ts'
import { asObject, formatJcs, parseStrictJson } from './json.ts'
import { TOKEN_DEPTH_MAX } from './limits.ts'

/** Abilities by resource. No caveats: the protocol allows none in a ReCap (reference-behaviour §2.3). */
export type RecapAbilities = Readonly<Record<string, readonly string[]>>

export interface Recap {
  readonly abilities: RecapAbilities
  /** CIDs in base58btc. */
  readonly proofs: readonly string[]
}

const SCHEME = 'urn:recap:'
const SENTENCE = 'I further authorize the stated URI to perform the following actions on my behalf:'

export const isRecapUri = (uri: string): boolean => uri.startsWith(SCHEME)

/**
 * The content of a ReCap. Whether resources are URIs and proofs CIDs is left to the caller.
 *
 * Rule: RECAP-3.
 * @throws {ProtocolError} TOKEN_MALFORMED: other encodings, a missing part, a condition, a proof not in base58btc
 */
export function parseRecapUri(uri: string): Recap {
  if (!isRecapUri(uri)) throw malformed('not a urn:recap')
  const json = parseUtf8(parseBase64url(uri.slice(SCHEME.length), { padding: 'none' }))
  const content = asObject(parseStrictJson(json, { depthMax: TOKEN_DEPTH_MAX }))
  const proofs = optionalTextArrayClaim(content, 'prf')
  if (proofs === undefined) throw malformed('no prf')
  if (!proofs.every((cid) => cid.startsWith('z'))) throw malformed('proof is not base58btc')
  return { abilities: parseAbilities(claim(content, 'att')), proofs }
}

function parseAbilities(value: unknown): RecapAbilities {
  const entries = Object.entries(asObject(value)).map(([uri, granted]) => {
    const abilities = asObject(granted)
    for (const caveats of Object.values(abilities)) assertRecapCaveats(caveats)
    return [uri, Object.keys(abilities)] as const
  })
  return Object.fromEntries(entries)
}

/** The resource of a SIWE message that carries the capabilities. */
export function formatRecapUri({ abilities, proofs }: Recap): string {
  const att = Object.fromEntries(
    Object.entries(abilities).map(([uri, names]) => [
      uri,
      Object.fromEntries(names.map((name) => [name, [{}]])),
    ]),
  )
  return SCHEME + formatBase64url(utf8(formatJcs({ att, prf: proofs })), { padding: 'none' })
}

/**
 * The sentence with which the statement of the message ends.
 *
 * Rule: ERC-5573 "ReCap Translation Algorithm": resources, namespaces and names in the order of their bytes, one clause
 * for each resource and namespace.
 */
export function formatRecapStatement(abilities: RecapAbilities): string {
  const clauses: string[] = []
  for (const uri of Object.keys(abilities).toSorted(byBytes)) {
    for (const [namespace, names] of groupByNamespace(abilities[uri] ?? [])) {
      const listed = names.map((name) => `'${name}'`).join(', ')
      clauses.push(` (${clauses.length + 1}) '${namespace}': ${listed} for '${uri}'.`)
    }
  }
  return SENTENCE + clauses.join('')
}

/** Namespaces with their names, both sorted. */
function groupByNamespace(abilities: readonly string[]): [string, string[]][] {
  const groups = new Map<string, string[]>()
  for (const ability of abilities) {
    const slash = ability.indexOf('/')
    const namespace = ability.slice(0, slash)
    const names = groups.get(namespace) ?? []
    names.push(ability.slice(slash + 1))
    groups.set(namespace, names)
  }
  return [...groups.keys()]
    .toSorted(byBytes)
    .map((namespace) => [namespace, (groups.get(namespace) ?? []).toSorted(byBytes)])
}

/** What is compared here is ASCII, so the order of code units is that of bytes. */
function byBytes(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

const malformed = (detail: string): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', `ReCap: ${detail}`)
