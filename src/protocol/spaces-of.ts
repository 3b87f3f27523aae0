/** The spaces that capabilities name. */
import { type Capability } from './authority.ts'

/** Each once, sorted by bytes. */
export function spacesOf(capabilities: readonly Capability[]): string[] {
  const spaces = new Set<string>()
  for (const { resource } of capabilities) if (resource.kind === 'space') spaces.add(resource.space)
  return [...spaces].toSorted()
}
