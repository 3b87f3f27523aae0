/** Capabilities as kept in the row of a delegation: canonical DAG-CBOR of `[resource, ability, caveats]` triples. */
import { type Capability, type Caveats } from './authority.ts'
import { NO_CAVEATS } from './caveats.ts'
import { decodeDagCbor, encodeDagCbor } from './dag-cbor.ts'
import { ProtocolError } from './error.ts'
import { asObject } from './json.ts'
import { TOKEN_DEPTH_MAX } from './limits.ts'
import { parseResource } from './resource.ts'

/** The list and the triple around caveats that came from a token. */
const DEPTH_MAX = TOKEN_DEPTH_MAX + 2

/** Resources in EIP-55 spelling, abilities as written in the token. */
export const formatCapabilities = (capabilities: readonly Capability[]): Uint8Array =>
  encodeDagCbor(
    capabilities.map(({ resource, ability, caveats }) => [resource.text, ability, caveats]),
  )

/**
 * The capabilities of a row, in the order in which they were written.
 * @throws {ProtocolError} TOKEN_MALFORMED: the bytes are not what `formatCapabilities` writes
 */
export function parseCapabilities(bytes: Uint8Array): Capability[] {
  const triples = decodeDagCbor(bytes, { depthMax: DEPTH_MAX })
  if (!Array.isArray(triples)) throw malformed()
  return triples.map(parseTriple)
}

function parseTriple(triple: unknown): Capability {
  if (!Array.isArray(triple) || triple.length !== 3) throw malformed()
  const [text, ability, caveats] = triple as readonly unknown[]
  if (typeof text !== 'string' || typeof ability !== 'string') throw malformed()
  return { resource: parseResource(text), ability, caveats: parseStoredCaveats(caveats) }
}

function parseStoredCaveats(value: unknown): Caveats {
  const caveats = asObject(value)
  return Object.keys(caveats).length === 0 ? NO_CAVEATS : caveats
}

const malformed = (): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', 'not a list of capabilities')
