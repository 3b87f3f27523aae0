/**
 * Puts the files of earlier runs in order, at start and under the lock. The run's row is ended *first*: that waits for
 * a commit in flight and makes every later one fail, so nobody names what is cut or removed here (DESIGN §4 "The run").
 * Every step may be repeated after a crash: a run counts as clean only once all of them are done.
 */
import { type Directories } from '../blocks/directories.ts'
import { type FileSystem, isNoSpace, unlinkIfThere } from '../blocks/file-system.ts'
import { objectPath, objectsDirectory, OBJECTS_PER_DIRECTORY, packPath } from '../blocks/layout.ts'
import { PACK_HEADER, removePack, sealPack } from '../blocks/packs/pack-file.ts'
import { PackIndex } from '../blocks/packs/pack-index.ts'
import { readNames, removeEmptyDirectories } from '../blocks/run-directories.ts'
import { ROW_IDS_PER_RUN } from '../database/row-id.ts'
import { type PackRow, type RunRow } from '../database/rows.ts'
import { type RunLedger } from '../database/run-ledger.ts'
import { join } from 'node:path'
import { type Log } from './log.ts'

export interface CleanUpOptions {
  readonly ledger: RunLedger
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
  readonly nowS: number
  readonly log: Log
}

export async function cleanUpRuns(options: CleanUpOptions): Promise<void> {
  const { ledger, nowS, log } = options
  const unclean = await ledger.readUncleanRuns()
  for (const run of unclean) {
    if (run.endedAtS === null) log('warn', 'run.crashed', { runNo: run.runNo, groups: run.groupNo })
    await ledger.endRun(run.runNo, nowS)
    removeUnknownObjects(options, run)
    if (await closePacks(options, run)) await ledger.markRunClean(run.runNo, nowS)
  }
  // Those of a run that is ended only now wait for the next start: its process may not know yet.
  const isUnclean = new Set(unclean.map(({ runNo }) => runNo))
  removeEmptyDirectories(options, (runNo) => !isUnclean.has(runNo))
}

/** False: the disk is too full to end a pack with its index. It is read as it is, and ended by a later start. */
async function closePacks(options: CleanUpOptions, run: RunRow): Promise<boolean> {
  try {
    for (const pack of await options.ledger.readOpenPacks(run.runNo))
      await closePack(options, run, pack)
    return true
  } catch (error) {
    if (!isNoSpace(error)) throw error
    options.log('warn', 'pack.not-sealed', { runNo: run.runNo, reason: 'no space left' })
    return false
  }
}

/**
 * Cuts a pack to what rows name and ends it with its index, rebuilt from them. A pack that holds nothing goes, and so
 * does one that compaction was writing: rows name it only once it is sealed.
 */
async function closePack(options: CleanUpOptions, run: RunRow, pack: PackRow): Promise<void> {
  const { ledger, files, root, log } = options
  const { packNo } = pack
  if (pack.kind !== 'active') {
    await dropPack(options, packNo)
    return
  }
  const index = new PackIndex()
  let committedBytes = run.packNo === packNo ? run.packBytes : pack.fileBytes
  for (const entry of ledger.readPackEntries(pack)) {
    index.add(entry)
    // The rows say the same as the run; should they ever not, nothing that a row names is cut.
    committedBytes = Math.max(committedBytes, entry.offset + entry.lengthBytes)
  }
  if (committedBytes <= PACK_HEADER.length) {
    await dropPack(options, packNo)
    return
  }
  const descriptor = files.openSync(packPath(root, packNo), 'r+')
  try {
    const fileBytes = files.fstatSync(descriptor).size
    if (fileBytes >= committedBytes) {
      await ledger.sealPack(packNo, sealPack(files, descriptor, committedBytes, index))
      return
    }
    // Synced bytes are gone: a fault of the disk. What is left stays readable, and must not be written over.
    log('error', 'pack.short', { packNo, fileBytes, committedBytes })
    await ledger.sealPack(packNo, { fileBytes, indexBytes: 0 })
  } finally {
    files.closeSync(descriptor)
  }
}

async function dropPack(
  { ledger, files, directories, root }: CleanUpOptions,
  packNo: number,
): Promise<void> {
  removePack({ files, directories, root, packNo })
  await ledger.deletePack(packNo)
}

/** Objects above the mark were renamed for a commit that did not happen. */
function removeUnknownObjects({ files, directories, root }: CleanUpOptions, run: RunRow): void {
  const runDirectory = join(objectsDirectory(root), String(run.runNo))
  const firstDirectory = Math.floor(run.objectMark / OBJECTS_PER_DIRECTORY)
  for (const name of readNames(files, runDirectory)) {
    if (Number(name) < firstDirectory) continue
    const directory = join(runDirectory, name)
    const unknown = readNames(files, directory).filter((object) => Number(object) > run.objectMark)
    for (const object of unknown)
      unlinkIfThere(files, objectPath(root, run.runNo * ROW_IDS_PER_RUN + Number(object)))
    if (unknown.length > 0) directories.sync(directory)
  }
}
