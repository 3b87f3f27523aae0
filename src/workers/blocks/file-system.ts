/** The calls of `node:fs` that the writers of blocks make: a seam at which tests let a disk fail. */
import fs from 'node:fs'

export type FileSystem = Pick<
  typeof fs,
  | 'closeSync'
  | 'fdatasyncSync'
  | 'fstatSync'
  | 'fsyncSync'
  | 'ftruncateSync'
  | 'mkdirSync'
  | 'openSync'
  | 'readdirSync'
  | 'readSync'
  | 'renameSync'
  | 'rmdirSync'
  | 'rmSync'
  | 'statSync'
  | 'statfsSync'
  | 'unlinkSync'
  | 'writevSync'
>

export const NODE_FILE_SYSTEM: FileSystem = fs

/** Code of a system error (`ENOENT`); undefined: not one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** A write that took fewer bytes than it was given: what a full disk does instead of failing. */
export function shortWrite(writtenBytes: number, wantedBytes: number): Error {
  const error = new Error(`ENOSPC: wrote ${writtenBytes} of ${wantedBytes} bytes`)
  return Object.assign(error, { code: 'ENOSPC' })
}

/** True for a disk, or a quota, without room. */
export function isNoSpace(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Removes a file; false: it was not there. */
export function unlinkIfThere(files: FileSystem, path: string): boolean {
  try {
    files.unlinkSync(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

/** Removes a directory that holds nothing; false: it holds something, or was not there. */
export function rmdirIfEmpty(files: FileSystem, path: string): boolean {
  try {
    files.rmdirSync(path)
    return true
  } catch (error) {
    if (NOT_EMPTY.has(systemCode(error))) return false
    throw error
  }
}

/** What `rmdir` says of a directory that holds something, of one that is gone, and of a file. */
const NOT_EMPTY: ReadonlySet<string | undefined> = new Set([
  'ENOTEMPTY',
  'EEXIST',
  'ENOENT',
  'ENOTDIR',
])
