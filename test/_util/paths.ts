/** Where things lie, seen from the project's root; nothing here names a machine. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

export const PROJECT_ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** The conformance kit: `TINYCLOUD_KIT`, else `../shared/conformance`; undefined where neither exists. */
export function findKit(): string | undefined {
  const wanted = process.env['TINYCLOUD_KIT'] ?? path.join(PROJECT_ROOT, '../shared/conformance')
  const directory = path.resolve(PROJECT_ROOT, wanted)
  return existsSync(path.join(directory, 'run.mjs')) ? directory : undefined
}

/** True on the build machine, where what is missing is a failure and not a reason to skip. */
export const IS_CI: boolean = process.env['CI'] === 'true' || process.env['CI'] === '1'
