/**
 * Staged values on their way to objects. A value keeps its object number through every attempt of its group, and its
 * file is renamed once; a definite refusal removes the file before the next group, so that a number above which a later
 * commit raises the mark never has an orphan (DESIGN §4 "Large values").
 */
import { type ObjectFiles } from '../blocks/objects/object-files.ts'
import { counterOfRowId, ROW_IDS_PER_RUN } from '../database/row-id.ts'
import { type ObjectNumbers } from './key-changes.ts'
import { type StorageCommand } from './request.ts'

interface Adoption {
  readonly stagingNo: number
  readonly objectNo: number
}

export class StagedObjects implements ObjectNumbers {
  readonly #files: ObjectFiles
  #nextObjectNo: number
  /** Object numbers of the values of the group under way. */
  readonly #numbers = new Map<number, number>()
  readonly #renamed = new Set<number>()

  constructor(files: ObjectFiles, runNo: number) {
    this.#files = files
    this.#nextObjectNo = firstObjectNo(runNo)
  }

  /** Objects are numbered from 1 in each run. */
  beginRun(runNo: number): void {
    this.#nextObjectNo = firstObjectNo(runNo)
  }

  numberOf(stagingNo: number): number {
    const known = this.#numbers.get(stagingNo)
    if (known !== undefined) return known
    const objectNo = this.#nextObjectNo++
    this.#numbers.set(stagingNo, objectNo)
    return objectNo
  }

  /** The file of a staged value is there, whole. */
  isStaged(stagingNo: number, valueBytes: number): boolean {
    return this.#renamed.has(stagingNo) || this.#files.stagedBytes(stagingNo) === valueBytes
  }

  /** Renames the files that are not renamed yet. Durable when it returns. */
  adopt(adoptions: readonly Adoption[]): void {
    const missing = adoptions.filter(({ stagingNo }) => !this.#renamed.has(stagingNo))
    if (missing.length === 0) return
    // Noted first: a rename may have happened although the call after it failed.
    for (const { stagingNo } of missing) this.#renamed.add(stagingNo)
    this.#files.adopt(missing)
  }

  /** The command took effect: its files are objects now. */
  keep(command: StorageCommand): void {
    for (const { stagingNo } of stagedValues(command)) this.#forget(stagingNo)
  }

  /** The command was refused for good: its files go. */
  drop(command: StorageCommand): void {
    for (const { stagingNo } of stagedValues(command)) {
      const objectNo = this.#numbers.get(stagingNo)
      if (this.#renamed.has(stagingNo) && objectNo !== undefined) this.#files.remove([objectNo])
      this.#files.dropStaged(stagingNo)
      this.#forget(stagingNo)
    }
  }

  #forget(stagingNo: number): void {
    this.#numbers.delete(stagingNo)
    this.#renamed.delete(stagingNo)
  }
}

const firstObjectNo = (runNo: number): number => runNo * ROW_IDS_PER_RUN + 1

/** The highest number within the run: the object mark that a commit raises. */
export const markOf = (adoptions: readonly Adoption[]): number =>
  Math.max(0, ...adoptions.map(({ objectNo }) => counterOfRowId(objectNo)))

/** The staged values that a command brings. */
export function stagedValues(
  command: StorageCommand,
): { readonly stagingNo: number; readonly valueBytes: number }[] {
  if (command.kind !== 'mutate') return []
  const staged: { stagingNo: number; valueBytes: number }[] = []
  for (const operation of command.operations)
    if (operation.kind === 'put' && operation.value.kind === 'staged')
      staged.push({ stagingNo: operation.value.stagingNo, valueBytes: operation.valueBytes })
  return staged
}
