/**
 * A pack under way: a CARv1 file to which groups of sections are appended, each synced before any row names it.
 *
 *   file = CAR header without roots ‖ section* ‖ index section (sealed packs only, packs/pack-index.ts)
 *
 * Committed length: everything below it is named by committed rows or dead; what lies above it was never named and is
 * overwritten by the next group, or cut when the pack is sealed. A write or sync that failed leaves it as it was.
 */
import { formatCarHeader } from '../../../protocol/car.ts'
import { type Directories } from '../directories.ts'
import { type FileSystem, shortWrite, unlinkIfThere } from '../file-system.ts'
import { packDirectory, packPath } from '../layout.ts'
import { type PackEntry, PackIndex } from './pack-index.ts'

export const PACK_HEADER: Uint8Array = formatCarHeader([])

/** A pack that has reached this length is sealed, and the next group goes to a new one. */
export const PACK_BYTES_TARGET: number = 64 * 1024 * 1024

/** A pack that has its end. */
export interface SealedPack {
  /** Of the whole file. */
  readonly fileBytes: number
  /** Of the index, at the end of it; 0: it has none. */
  readonly indexBytes: number
}

export interface PackFileOptions {
  readonly files: FileSystem
  readonly directories: Directories
  /** The blocks directory. */
  readonly root: string
  readonly packNo: number
}

export class PackFile {
  readonly packNo: number
  readonly #files: FileSystem
  readonly #descriptor: number
  readonly #index = new PackIndex()
  #committedBytes = PACK_HEADER.length

  private constructor(files: FileSystem, packNo: number, descriptor: number) {
    this.#files = files
    this.packNo = packNo
    this.#descriptor = descriptor
  }

  /** Creates the file: header, its sync and that of its directory are done when it returns. Its row exists already. */
  static create({ files, directories, root, packNo }: PackFileOptions): PackFile {
    const directory = packDirectory(root, packNo)
    directories.ensure(directory)
    const descriptor = files.openSync(packPath(root, packNo), 'wx')
    try {
      writeAll(files, descriptor, [PACK_HEADER], 0)
      files.fdatasyncSync(descriptor)
      directories.sync(directory)
    } catch (error) {
      files.closeSync(descriptor)
      throw error
    }
    return new PackFile(files, packNo, descriptor)
  }

  get committedBytes(): number {
    return this.#committedBytes
  }

  /** Writes sections after the committed ones and syncs them. Nothing is committed by it. */
  append(sections: readonly Uint8Array[]): void {
    if (sections.length > 0) writeAll(this.#files, this.#descriptor, sections, this.#committedBytes)
    this.#files.fdatasyncSync(this.#descriptor)
  }

  /** The rows that name the appended sections are committed. */
  commit(appendedBytes: number, entries: readonly PackEntry[]): void {
    this.#committedBytes += appendedBytes
    for (const entry of entries) this.#index.add(entry)
  }

  /** Cuts what no row names, appends the index, syncs. */
  seal(): SealedPack {
    return sealPack(this.#files, this.#descriptor, this.#committedBytes, this.#index)
  }

  close(): void {
    this.#files.closeSync(this.#descriptor)
  }
}

/** Cuts a pack to its committed length and ends it with its index. May be repeated after a crash. */
export function sealPack(
  files: FileSystem,
  descriptor: number,
  committedBytes: number,
  index: PackIndex,
): SealedPack {
  files.ftruncateSync(descriptor, committedBytes)
  const section = index.formatSection()
  writeAll(files, descriptor, [section], committedBytes)
  files.fdatasyncSync(descriptor)
  return { fileBytes: committedBytes + section.length, indexBytes: section.length }
}

/** Removes a pack that no row names; its name is gone for good when it returns. */
export function removePack({ files, directories, root, packNo }: PackFileOptions): void {
  if (unlinkIfThere(files, packPath(root, packNo))) directories.sync(packDirectory(root, packNo))
}

/** `writev` on a full disk returns a short count and throws nothing. */
function writeAll(
  files: FileSystem,
  descriptor: number,
  parts: readonly Uint8Array[],
  offset: number,
): void {
  let wantedBytes = 0
  for (const part of parts) wantedBytes += part.length
  const writtenBytes = files.writevSync(descriptor, [...parts], offset)
  if (writtenBytes !== wantedBytes) throw shortWrite(writtenBytes, wantedBytes)
}
