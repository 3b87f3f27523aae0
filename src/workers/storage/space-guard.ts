/**
 * Keeps the last part of the disk free (`storage.reserve`). While less is left, puts are refused before any work; with
 * less than half of it, delegations as well, without which nobody who signs in could read or delete. What makes room, or
 * takes rights back, goes on with the rest, and so does compaction. It ends by itself. Rule: DISK-1.
 */
import { type FileSystem } from '../blocks/file-system.ts'
import { type RoomLevel, type StorageCommand } from './request.ts'

/** Between two looks at the disk. At 100 MB/s a disk loses less than the default reserve meanwhile. */
export const SAMPLE_INTERVAL_S = 1
/** Of a small disk no more than this part is kept free. */
const RESERVE_PART_MAX = 0.1
/** With less than this part of the reserve, delegations are refused too. A token of them has 512 KiB at most. */
const DELEGATIONS_PART = 0.5
/** So much more than the reserve must be free before writing goes on: it does not flicker. */
const REOPEN_FACTOR = 1.125

export interface SpaceGuardOptions {
  readonly files: FileSystem
  /** Directories in which something grows. They exist. */
  readonly paths: readonly string[]
  /** 0: nothing is kept free. */
  readonly reserveBytes: number
  /** Told at every change, and not at the start of a node that has space. */
  readonly onChange: (level: RoomLevel, freeBytes: number) => void
}

interface DiskRoom {
  /** For programs without privileges. */
  readonly freeBytes: number
  /** To be kept free. */
  readonly reserveBytes: number
}

export class SpaceGuard {
  readonly #options: SpaceGuardOptions
  #level: RoomLevel = 'enough'
  #freeBytes = 0
  #sampledAtS = -Infinity

  constructor(options: SpaceGuardOptions) {
    this.#options = options
  }

  get level(): RoomLevel {
    return this.#level
  }

  /** On the disk that has least of it, when it was last looked at. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Looks at the disk, unless it did so a moment ago. */
  check(nowS: number): void {
    if (Math.abs(nowS - this.#sampledAtS) < SAMPLE_INTERVAL_S) return
    this.#sampledAtS = nowS
    const rooms = this.#rooms()
    if (rooms.length === 0) return
    this.#freeBytes = Math.min(...rooms.map(({ freeBytes }) => freeBytes))
    const level = this.#levelOf(rooms)
    if (level === this.#level) return
    this.#level = level
    this.#options.onChange(level, this.#freeBytes)
  }

  #levelOf(rooms: readonly DiskRoom[]): RoomLevel {
    const isBelow = (part: number, wasBelow: boolean): boolean => {
      const factor = part * (wasBelow ? REOPEN_FACTOR : 1)
      return rooms.some(({ freeBytes, reserveBytes }) => freeBytes < reserveBytes * factor)
    }
    if (isBelow(DELEGATIONS_PART, this.#level === 'spent')) return 'spent'
    return isBelow(1, this.#level !== 'enough') ? 'low' : 'enough'
  }

  /** Empty where a disk cannot be asked: whether it can be written is told by the next write. */
  #rooms(): DiskRoom[] {
    try {
      return this.#options.paths.map((path) => this.#roomAt(path))
    } catch {
      return []
    }
  }

  #roomAt(path: string): DiskRoom {
    const { bavail, bsize, blocks } = this.#options.files.statfsSync(path)
    const reserveBytes = Math.min(this.#options.reserveBytes, blocks * bsize * RESERVE_PART_MAX)
    return { freeBytes: bavail * bsize, reserveBytes }
  }
}

/** Whether there is room for what the command may let the node grow by. */
export function hasRoomFor(command: StorageCommand, level: RoomLevel): boolean {
  if (level === 'enough') return true
  if (command.kind === 'delegate') return level === 'low'
  return command.kind !== 'mutate' || command.operations.every(({ kind }) => kind !== 'put')
}
