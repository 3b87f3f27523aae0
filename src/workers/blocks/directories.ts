/**
 * Directories that last. A directory counts as new until this process has synced its parent, also when it was found
 * existing: the process that made it may have died before its sync (DESIGN §4).
 */
import { dirname } from 'node:path'
import { type FileSystem, rmdirIfEmpty, systemCode } from './file-system.ts'

export class Directories {
  readonly #files: FileSystem
  readonly #root: string
  /** Those whose entry in their parent is on stable storage. */
  readonly #durable = new Set<string>()

  /** `root` exists; whoever made it answers for its own entry, and it is synced here once more. */
  constructor(files: FileSystem, root: string) {
    this.#files = files
    this.#root = root
  }

  /** Makes a directory below the root, and every one on the way, and syncs the parent of each once. */
  ensure(directory: string): void {
    if (this.#durable.has(directory)) return
    if (directory !== this.#root) {
      this.ensure(dirname(directory))
      this.#make(directory)
    }
    this.sync(dirname(directory))
    this.#durable.add(directory)
  }

  /** Removes those that hold nothing, and syncs the parent of each once. Nothing is being written to any of them. */
  removeEmpty(candidates: Iterable<string>): void {
    const parents = new Set<string>()
    for (const directory of candidates) {
      this.#durable.delete(directory)
      if (rmdirIfEmpty(this.#files, directory)) parents.add(dirname(directory))
    }
    for (const parent of parents) this.sync(parent)
  }

  /** Puts the names in a directory on stable storage. */
  sync(directory: string): void {
    const descriptor = this.#files.openSync(directory, 'r')
    try {
      this.#files.fsyncSync(descriptor)
    } finally {
      this.#files.closeSync(descriptor)
    }
  }

  #make(directory: string): void {
    try {
      this.#files.mkdirSync(directory)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }
}
