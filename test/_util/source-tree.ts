/** Reads the project's own files for tests that compare documents, tests and sources. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PROJECT_ROOT } from './paths.ts'

export interface SourceFile {
  /** From the project's root, with slashes. */
  readonly path: string
  readonly text: string
}

const SKIPPED = new Set(['node_modules', 'dist', 'data', '.git'])

function listFiles(folder: string): string[] {
  return readdirSync(path.join(PROJECT_ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const inside = path.posix.join(folder, entry.name)
    if (entry.isDirectory()) return listFiles(inside)
    return entry.isFile() ? [inside] : []
  })
}

/** The files below a folder whose name ends so. A folder that is not there has none. */
export function readTree(folder: string, ends: readonly string[]): SourceFile[] {
  if (!existsSync(path.join(PROJECT_ROOT, folder))) return []
  return listFiles(folder)
    .filter((file) => ends.some((end) => file.endsWith(end)))
    .map((file) => ({ path: file, text: readProjectFile(file) }))
}

export const readProjectFile = (file: string): string =>
  readFileSync(path.join(PROJECT_ROOT, file), 'utf8')

export const isProjectFile = (file: string): boolean => existsSync(path.join(PROJECT_ROOT, file))

export interface Import {
  readonly from: string
  /** As written. */
  readonly specifier: string
  /** From the project's root where the specifier is relative, else the specifier. */
  readonly target: string
}

/** Static and dynamic imports, and exports from elsewhere. */
export function importsOf(file: SourceFile): Import[] {
  const found = file.text.matchAll(
    /^(?:import|export)\s+(?:type\s+)?(?:[\w*{][^'()=]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...found]
    .map(([, written, dynamic]) => written ?? dynamic ?? '')
    .map((specifier) => ({
      from: file.path,
      specifier,
      target: specifier.startsWith('.')
        ? path.posix.join(path.posix.dirname(file.path), specifier)
        : specifier,
    }))
}

/** The rows of every Markdown table whose first heading is `heading`, as cells without their padding. */
export function readTables(markdown: string, heading: string): string[][] {
  const rows: string[][] = []
  let isInside = false
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) {
      isInside = false
      continue
    }
    const cells = line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim())
    if (cells[0] === heading) isInside = true
    else if (isInside && !/^:?-+:?$/.test(cells[0] ?? '')) rows.push(cells)
  }
  return rows
}
