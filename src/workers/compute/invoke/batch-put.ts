/** Which capabilities a batch put may have (reference-behaviour §3.5). Looked at before the authority, as the notes say. */
import { resolveAbility } from '../../../protocol/ability.ts'
import { type Capability } from '../../../protocol/authority.ts'
import { ProtocolError } from '../../../protocol/error.ts'

const PUT = 'tinycloud.kv/put'

const refusal = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

const isPut = ({ resource, ability }: Capability): boolean =>
  resource.kind === 'space' && resource.service === 'kv' && resolveAbility(ability) === PUT

/**
 * Checks the capabilities of an invocation whose body is multipart/form-data. One that puts nothing is no batch.
 *
 * Rule: BATCH-2.
 * @throws {ProtocolError} OPTION_INVALID
 */
export function assertBatchPut(capabilities: readonly Capability[]): void {
  if (!capabilities.some(isPut)) return
  const paths = new Set<string>()
  let space: string | undefined
  for (const capability of capabilities) {
    const { resource } = capability
    if (!isPut(capability) || resource.kind !== 'space' || resource.path === undefined)
      throw refusal('KV batch put only accepts tinycloud.kv/put capabilities with paths')
    space ??= resource.space
    if (resource.space !== space) throw refusal('KV batch put must target one space')
    if (paths.has(resource.path))
      throw refusal(`Duplicate KV batch put capability for path ${resource.path}`)
    paths.add(resource.path)
  }
}
