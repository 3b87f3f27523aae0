/**
 * Directories of runs that have ended. A run writes only to its own, so nothing comes to them any more, and those that
 * hold nothing go: a node that is started every day must not keep one for each of its days. A file that a reader needs
 * keeps its directory, and a crash leaves an empty one at worst, which the next start removes.
 */
import { dirname, join } from 'node:path'
import { type Directories } from './directories.ts'
import { type FileSystem, systemCode } from './file-system.ts'
import { objectDirectory, objectsDirectory, packDirectory, packsDirectory } from './layout.ts'

export interface RunDirectoriesOptions {
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
}

/** What was removed last, from runs that have ended. */
export interface RemovedFiles {
  readonly objectNos: readonly number[]
  readonly packNos: readonly number[]
}

/** Removes the directories that these files were the last in. */
export function removeLeftDirectories(
  { directories, root }: RunDirectoriesOptions,
  { objectNos, packNos }: RemovedFiles,
): void {
  directories.removeEmpty(new Set(packNos.map((packNo) => packDirectory(root, packNo))))
  const ofObjects = new Set(objectNos.map((objectNo) => objectDirectory(root, objectNo)))
  directories.removeEmpty(ofObjects)
  directories.removeEmpty(new Set([...ofObjects].map((directory) => dirname(directory))))
}

/** Removes every empty directory of a run that `hasEnded`. */
export function removeEmptyDirectories(
  { files, directories, root }: RunDirectoriesOptions,
  hasEnded: (runNo: number) => boolean,
): void {
  const ofPacks = runDirectories(files, packsDirectory(root), hasEnded)
  directories.removeEmpty(ofPacks)
  const ofObjects = runDirectories(files, objectsDirectory(root), hasEnded)
  for (const directory of ofObjects)
    directories.removeEmpty(readNames(files, directory).map((name) => join(directory, name)))
  directories.removeEmpty(ofObjects)
}

const RUN_NAME = /^[1-9]\d{0,6}$/

const runDirectories = (
  files: FileSystem,
  directory: string,
  hasEnded: (runNo: number) => boolean,
): string[] =>
  readNames(files, directory)
    .filter((name) => RUN_NAME.test(name) && hasEnded(Number(name)))
    .map((name) => join(directory, name))

/** Names in a directory; none where there is no such directory. */
export function readNames(files: FileSystem, directory: string): string[] {
  try {
    return files.readdirSync(directory)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
