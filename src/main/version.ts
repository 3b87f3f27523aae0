/** The version of this program, from its package.json. */
import { readFileSync } from 'node:fs'

/** Two levels up from `src/main` as well as from `dist/main`. */
const PACKAGE_URL = new URL('../../package.json', import.meta.url)

export function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(PACKAGE_URL, 'utf8'))
  if (typeof description === 'object' && description !== null && 'version' in description)
    return String(description.version)
  throw new Error(`${PACKAGE_URL.href} names no version`)
}
