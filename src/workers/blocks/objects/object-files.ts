/**
 * Large values in files of their own, as the actor sees them. A value comes whole and synced in the staging directory;
 * it becomes an object by being renamed to its number, before the commit that names it (DESIGN §4).
 */
import { dirname } from 'node:path'
import { type Directories } from '../directories.ts'
import { type FileSystem, unlinkIfThere } from '../file-system.ts'
import {
  objectDirectory,
  objectPath,
  stagingDirectory,
  stagingPath,
  stagingRunDirectory,
} from '../layout.ts'

export interface ObjectFilesOptions {
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
  /** The run whose staging directory uploads go to. */
  readonly stagingRunNo: number
}

export class ObjectFiles {
  readonly #files: FileSystem
  readonly #directories: Directories
  readonly #root: string
  readonly #stagingRunNo: number

  constructor({ files, directories, root, stagingRunNo }: ObjectFilesOptions) {
    this.#files = files
    this.#directories = directories
    this.#root = root
    this.#stagingRunNo = stagingRunNo
  }

  /** Makes the directory in which uploads of this run are staged. Those of earlier runs are gone by now. */
  prepareStaging(): void {
    this.#directories.ensure(stagingRunDirectory(this.#root, this.#stagingRunNo))
  }

  /** Length of a staged value; undefined: there is no such file. */
  stagedBytes(stagingNo: number): number | undefined {
    const path = stagingPath(this.#root, this.#stagingRunNo, stagingNo)
    return this.#files.statSync(path, { throwIfNoEntry: false })?.size
  }

  /** Renames staged values to their object numbers; their names are on stable storage when it returns. */
  adopt(adoptions: readonly { readonly stagingNo: number; readonly objectNo: number }[]): void {
    const changed = new Set<string>()
    for (const { stagingNo, objectNo } of adoptions) {
      const directory = objectDirectory(this.#root, objectNo)
      this.#directories.ensure(directory)
      const staged = stagingPath(this.#root, this.#stagingRunNo, stagingNo)
      this.#files.renameSync(staged, objectPath(this.#root, objectNo))
      changed.add(directory)
    }
    // The old name needs no sync: a start empties the staging directory anyway.
    for (const directory of changed) this.#directories.sync(directory)
  }

  /** Removes a staged value that no command took. */
  dropStaged(stagingNo: number): void {
    unlinkIfThere(this.#files, stagingPath(this.#root, this.#stagingRunNo, stagingNo))
  }

  /** Removes objects that no row names any more; their names are gone for good when it returns. */
  remove(objectNos: readonly number[]): void {
    const changed = new Set<string>()
    for (const objectNo of objectNos) {
      const path = objectPath(this.#root, objectNo)
      if (unlinkIfThere(this.#files, path)) changed.add(dirname(path))
    }
    for (const directory of changed) this.#directories.sync(directory)
  }

  /** Forgets every upload of earlier runs. */
  emptyStaging(): void {
    const directory = stagingDirectory(this.#root)
    this.#files.rmSync(directory, { recursive: true, force: true })
  }
}
