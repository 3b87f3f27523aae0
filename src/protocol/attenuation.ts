/** The `att` of a UCAN and of a ReCap: `{ ‹resource uri›: { ‹ability›: [caveat, …] } }`. */
import { isAbility } from './ability.ts'
import { type Capability, type Caveats } from './authority.ts'
import { equalJson } from './caveats.ts'
import { type ClaimsObject } from './claims.ts'
import { ProtocolError } from './error.ts'
import { asObject } from './json.ts'
import { TOKEN_CAPABILITIES_MAX, TOKEN_SPACES_MAX } from './limits.ts'
import { parseResource } from './resource.ts'

/**
 * The capabilities, each once, sorted by resource and then by ability: the order in which they take effect
 * (reference-behaviour §2.9).
 *
 * Two spellings of one space id make one resource. The same ability may then stand there twice; with the same caveats
 * it counts once.
 *
 * Rule: TOKEN-8.
 * @throws {ProtocolError} TOKEN_MALFORMED: no URI, no ability, too many of either, contradicting caveats
 */
export function parseAttenuation(
  attenuation: ClaimsObject,
  parseCaveats: (value: unknown) => Caveats,
): Capability[] {
  const entries = Object.entries(attenuation)
  // A resource without abilities is no capability, but it costs as much.
  if (entries.length > TOKEN_CAPABILITIES_MAX) {
    throw new ProtocolError('TOKEN_MALFORMED', 'too many resources')
  }
  const capabilities: Capability[] = []
  for (const [uri, value] of entries) {
    const resource = parseResource(uri)
    for (const [ability, caveats] of Object.entries(asObject(value))) {
      if (!isAbility(ability)) throw new ProtocolError('TOKEN_MALFORMED', 'not an ability')
      if (capabilities.length === TOKEN_CAPABILITIES_MAX) {
        throw new ProtocolError('TOKEN_MALFORMED', 'too many capabilities')
      }
      capabilities.push({ resource, ability, caveats: parseCaveats(caveats) })
    }
  }
  if (capabilities.length < 2) return capabilities
  assertSpaces(capabilities)
  return dropRepeated(capabilities.toSorted(compareCapabilities))
}

/** URIs and abilities are ASCII, so the order of code units is that of bytes. */
function compareCapabilities(a: Capability, b: Capability): number {
  if (a.resource.text !== b.resource.text) return a.resource.text < b.resource.text ? -1 : 1
  if (a.ability === b.ability) return 0
  return a.ability < b.ability ? -1 : 1
}

function dropRepeated(sorted: readonly Capability[]): Capability[] {
  return sorted.filter((capability, index) => {
    const previous = sorted[index - 1]
    if (previous === undefined || compareCapabilities(previous, capability) !== 0) return true
    if (equalJson(previous.caveats, capability.caveats)) return false
    throw new ProtocolError('TOKEN_MALFORMED', 'one ability with two sets of caveats')
  })
}

function assertSpaces(capabilities: readonly Capability[]): void {
  const spaces = new Set<string>()
  for (const { resource } of capabilities) {
    if (resource.kind === 'space') spaces.add(resource.space)
  }
  if (spaces.size > TOKEN_SPACES_MAX) throw new ProtocolError('TOKEN_MALFORMED', 'too many spaces')
}
