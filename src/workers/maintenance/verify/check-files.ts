/**
 * Files that no row names. They are what a crash leaves, and harmless: the node removes them at a start or writes over
 * them. Only above the object mark of a run that was put in order there must be none.
 */
import { opendirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../blocks/file-system.ts'
import { objectsDirectory, packsDirectory, stagingDirectory } from '../../blocks/layout.ts'
import { ROW_IDS_PER_RUN } from '../../database/row-id.ts'
import { type CheckContext } from './context.ts'

export interface Reclaimable {
  readonly files: number
  readonly bytes: number
}

/** `isServed`: uploads of the run under way are being written. */
export async function checkFiles(
  context: CheckContext,
  root: string,
  isServed: boolean,
): Promise<Reclaimable> {
  const strays = new Strays()
  await checkPackFiles(context, root, strays)
  await checkObjectFiles(context, root, isServed, strays)
  if (!isServed) for (const file of filesIn(stagingDirectory(root))) strays.add(file.path)
  return strays
}

async function checkPackFiles(
  { inspector, pacer }: CheckContext,
  root: string,
  strays: Strays,
): Promise<void> {
  for (const { path, names } of filesIn(packsDirectory(root))) {
    const [runNo, name] = names
    const packNo = numberOf(runNo, name?.endsWith('.car') === true ? name.slice(0, -4) : undefined)
    const pack = packNo === undefined ? undefined : await inspector.readPack(packNo)
    if (!pack) strays.add(path)
    await pacer.spend(FILE_BYTES)
  }
}

async function checkObjectFiles(
  context: CheckContext,
  root: string,
  isServed: boolean,
  strays: Strays,
): Promise<void> {
  const { findings, inspector, state, pacer } = context
  for (const { path, names } of filesIn(objectsDirectory(root))) {
    const [runNo, , name] = names
    const objectNo = numberOf(runNo, name)
    await pacer.spend(FILE_BYTES)
    if (objectNo !== undefined && (await inspector.readObject(objectNo))) continue
    const run = state.run(Number(runNo))
    const isAbove = run !== undefined && Number(name) > run.objectMark
    // A run under way gives a file its name first, and writes its row afterwards.
    if (isServed && isAbove && run.endedAtS === null) continue
    strays.add(path)
    if (isAbove && run.cleanedAtS !== null)
      findings.report(
        'run',
        { kind: 'run', rowId: run.runNo },
        `object ${objectNo ?? 'without a number'} lies above its mark, and its files were put in order`,
      )
  }
}

/** What looking at one file costs, as bytes: for the pace. */
const FILE_BYTES = 128

const NUMBER = /^(?:0|[1-9]\d{0,15})$/

/** The number of a file by the names of its run and of itself; undefined: those are no names of ours. */
function numberOf(runNo: string | undefined, name: string | undefined): number | undefined {
  if (runNo === undefined || name === undefined || !NUMBER.test(runNo) || !NUMBER.test(name))
    return undefined
  return Number(runNo) * ROW_IDS_PER_RUN + Number(name)
}

class Strays implements Reclaimable {
  files = 0
  bytes = 0

  add(path: string): void {
    const size = statSync(path, { throwIfNoEntry: false })?.size
    // It was removed meanwhile.
    if (size === undefined) return
    this.files += 1
    this.bytes += size
  }
}

interface FoundFile {
  readonly path: string
  /** Names of the directories below the first one, and of the file. */
  readonly names: readonly string[]
}

/** Every file below a directory, a few names in memory at a time. */
function* filesIn(directory: string, above: readonly string[] = []): Generator<FoundFile> {
  let entries: ReturnType<typeof opendirSync>
  try {
    entries = opendirSync(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  try {
    for (let entry = entries.readSync(); entry; entry = entries.readSync()) {
      const path = join(directory, entry.name)
      const names = [...above, entry.name]
      if (entry.isDirectory()) yield* filesIn(path, names)
      else yield { path, names }
    }
  } finally {
    entries.closeSync()
  }
}
