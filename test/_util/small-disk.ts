/** A disk of a few megabytes in memory, for tests that fill it. Mounting takes root and a system that lets it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly path: string
  /** Nothing may be open on it. */
  remove(): void
}

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'tinycloud-disk-'))
  const problem = run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)
  if (problem !== undefined) {
    rmSync(path, { recursive: true })
    throw new Error(problem)
  }
  return {
    path,
    remove: () => {
      const left = run('umount', path)
      if (left !== undefined) throw new Error(left)
      rmSync(path, { recursive: true })
    },
  }
}

function mountOnce(): boolean {
  try {
    mountSmallDisk(1).remove()
    return true
  } catch {
    return false
  }
}

export const canMountDisks: boolean = process.getuid?.() === 0 && mountOnce()

/** What went wrong; undefined: nothing. */
function run(command: string, ...argv: string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, argv, { encoding: 'utf8' })
  return status === 0 ? undefined : `${command} ${argv.join(' ')}: ${error?.message ?? stderr}`
}
