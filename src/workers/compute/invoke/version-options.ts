/** The headers about versions: one to read a version of a key, one to list them. Both go with what reads the key itself. */
import { ProtocolError } from '../../../protocol/error.ts'
import { parseVersionId, type VersionId } from '../../../protocol/version-id.ts'
import { type TokenEntry } from '../request.ts'
import { type Effect } from './effects.ts'
import { headerOf } from './option-headers.ts'

export interface VersionOptions {
  /** The version of the key that is wanted; undefined: the one that counts. */
  readonly version: VersionId | undefined
  /** The versions of the key are wanted, not its value. */
  readonly isVersionList: boolean
}

const VERSION = 'x-tinycloud-version'
const VERSIONS = 'x-tinycloud-versions'

const invalid = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

const NONE: VersionOptions = { version: undefined, isVersionList: false }

/** Rule: HIST-1, HIST-3. @throws {ProtocolError} OPTION_INVALID */
export function parseVersionOptions(entry: TokenEntry, effect: Effect): VersionOptions {
  const version = headerOf(entry, VERSION)
  const versions = headerOf(entry, VERSIONS)
  if (version === undefined && versions === undefined) return NONE
  if (version !== undefined && versions !== undefined)
    throw invalid(`${VERSION} cannot be combined with ${VERSIONS}`)
  const name = version === undefined ? VERSIONS : VERSION
  if (effect.kind !== 'read' || effect.targets.length !== 1)
    throw invalid(`${name} requires exactly one KV get or metadata`)
  if (version === undefined) {
    if (versions !== 'list') throw invalid(`${VERSIONS} only supports list`)
    return { version: undefined, isVersionList: true }
  }
  const form = `${VERSION} must be a version as this node names it, such as 12.0`
  return { version: parseVersionId(version, form), isVersionList: false }
}
