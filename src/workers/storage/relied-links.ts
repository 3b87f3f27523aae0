/** The chains that a command relies on, as one set of links. */
import { type ChainLink } from '../../protocol/authority.ts'
import { toLatin1 } from '../../protocol/bytes.ts'
import { type ReliedDelegation } from './request.ts'

/** `own` first, then every link of the chains, each once. */
export function distinctLinks(
  relies: readonly ReliedDelegation[],
  own: readonly ChainLink[] = [],
): ChainLink[] {
  const links = new Map<string, ChainLink>()
  for (const link of [...own, ...relies.flatMap(({ closure }) => closure)]) {
    const name = toLatin1(link.statementId)
    if (!links.has(name)) links.set(name, link)
  }
  return [...links.values()]
}
