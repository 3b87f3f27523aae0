/** The option headers of `/invoke` (reference-behaviour §3.2): parsed once, refused with their documented texts. */
import { parseHex } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { LIST_CURSOR_CHARS_MAX, LIST_LIMIT_MAX } from '../../../protocol/limits.ts'
import { type Precondition } from '../../storage/request.ts'
import { isFormData } from '../form/body-form.ts'
import { type TokenEntry } from '../request.ts'
import { type Effect } from './effects.ts'
import { headerOf } from './option-headers.ts'
import { parseVersionOptions, type VersionOptions } from './version-options.ts'

export interface KvOptions extends VersionOptions {
  readonly precondition: Precondition
  /** `If-None-Match` of a conditional get, as sent. */
  readonly ifNoneMatch: string | undefined
  /** `Range` and `If-Range` of a get, as sent. A batch of several keys has no ranges. */
  readonly range: string | undefined
  readonly ifRange: string | undefined
  readonly responseBytesMax: number | undefined
  readonly listLimit: number | undefined
  readonly listCursor: string | undefined
}

const ETAG_PREFIX = '"blake3-'
const DIGEST_HEX_CHARS = 64

const invalid = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

export const isMultipart = (entry: TokenEntry): boolean =>
  isFormData(headerOf(entry, 'content-type'))

/**
 * Rule: COND-1, COND-2, KV-7, LIST-2, HIST-3.
 * @throws {ProtocolError} OPTION_INVALID
 */
export function parseKvOptions(entry: TokenEntry, effect: Effect): KvOptions {
  if (headerOf(entry, 'x-tinycloud-expected-version') !== undefined)
    throw invalid('x-tinycloud-expected-version is not a production precondition; use If-Match')
  const ifMatch = headerOf(entry, 'if-match')
  const ifNoneMatch = headerOf(entry, 'if-none-match')
  if (ifMatch !== undefined && ifNoneMatch !== undefined)
    throw invalid('KV preconditions cannot be combined')
  const versions = parseVersionOptions(entry, effect)
  const isSingleGet = effect.kind === 'read' && effect.read === 'get' && effect.targets.length === 1
  return {
    precondition: parsePrecondition(entry, effect, ifMatch, isSingleGet ? undefined : ifNoneMatch),
    ifNoneMatch: isSingleGet ? ifNoneMatch : undefined,
    range: isSingleGet ? headerOf(entry, 'range') : undefined,
    ifRange: isSingleGet ? headerOf(entry, 'if-range') : undefined,
    responseBytesMax: parsePositive(entry, 'x-tinycloud-max-response-bytes'),
    ...parseListOptions(entry, effect, versions),
    ...versions,
  }
}

function parsePrecondition(
  entry: TokenEntry,
  effect: Effect,
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): Precondition {
  const puts = effect.kind === 'mutate' ? effect.puts.length : 0
  const deletes = effect.kind === 'mutate' ? effect.deletes.length : 0
  const isBatch = puts > 0 && isMultipart(entry)
  if (ifMatch !== undefined) {
    if (puts + deletes !== 1 || isBatch)
      throw invalid('If-Match requires exactly one non-multipart KV put or delete')
    return { kind: 'matches', digest: parseStrongEtag(ifMatch) }
  }
  if (ifNoneMatch === undefined) return { kind: 'none' }
  if (ifNoneMatch.trim() !== '*') throw invalid('If-None-Match only supports * for KV create')
  if (puts !== 1 || deletes > 0 || isBatch)
    throw invalid('If-None-Match: * requires exactly one non-multipart KV put')
  return { kind: 'absent' }
}

function parseStrongEtag(text: string): Uint8Array {
  const value = text.trim()
  const isSingle = value.length > ETAG_PREFIX.length && value.indexOf('"', 1) === value.length - 1
  if (!value.startsWith(ETAG_PREFIX) || !isSingle)
    throw invalid('If-Match must be a strong TinyCloud ETag: "blake3-<64 hex characters>"')
  const hex = value.slice(ETAG_PREFIX.length, -1)
  if (hex.length !== DIGEST_HEX_CHARS)
    throw invalid('If-Match must contain a 32-byte BLAKE3 digest')
  if (!/^[0-9a-f]+$/i.test(hex)) throw invalid('If-Match BLAKE3 digest must be hexadecimal')
  return parseHex(hex)
}

function parsePositive(entry: TokenEntry, name: string): number | undefined {
  const text = headerOf(entry, name)
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value < 1) throw invalid(`${name} must be a positive integer`)
  return value
}

function parseListOptions(
  entry: TokenEntry,
  effect: Effect,
  { isVersionList }: VersionOptions,
): Pick<KvOptions, 'listLimit' | 'listCursor'> {
  const listLimit = parsePositive(entry, 'x-tinycloud-limit')
  if (listLimit !== undefined && listLimit > LIST_LIMIT_MAX)
    throw invalid(`x-tinycloud-limit must be between 1 and ${LIST_LIMIT_MAX}`)
  const listCursor = headerOf(entry, 'x-tinycloud-cursor')
  if (listCursor !== undefined) {
    const isUsable = isVersionList || (effect.kind === 'list' && listLimit !== undefined)
    if (!isUsable || listCursor.length > LIST_CURSOR_CHARS_MAX)
      throw invalid('Invalid KV list cursor')
  }
  return { listLimit, listCursor }
}
