/** Copies of the project's sources with a line changed: to see a test fail that guards the line. */
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createDirectory, removeDirectory } from './node-process.ts'
import { PROJECT_ROOT } from './paths.ts'

export interface Spoiling {
  /** From the project's root. */
  readonly file: string
  /** Every match is replaced; global. */
  readonly pattern: RegExp
  readonly replacement: string
}

/**
 * Gives `use` the root of a changed copy that runs like the project.
 * @throws {Error} when a pattern matches nothing: the line that was to be spoiled has moved
 */
export async function withSpoiledCopy<T>(
  spoilings: readonly Spoiling[],
  use: (projectRoot: string) => Promise<T>,
): Promise<T> {
  const root = await createDirectory('spoiled')
  try {
    await cp(path.join(PROJECT_ROOT, 'src'), path.join(root, 'src'), { recursive: true })
    await cp(path.join(PROJECT_ROOT, 'package.json'), path.join(root, 'package.json'))
    await symlink(path.join(PROJECT_ROOT, 'node_modules'), path.join(root, 'node_modules'))
    for (const { file, pattern, replacement } of spoilings) {
      const target = path.join(root, file)
      const text = await readFile(target, 'utf8')
      const spoiled = text.replace(pattern, replacement)
      if (spoiled === text) throw new Error(`${file} has nothing that matches ${String(pattern)}`)
      await writeFile(target, spoiled)
    }
    return await use(root)
  } finally {
    await removeDirectory(root)
  }
}
