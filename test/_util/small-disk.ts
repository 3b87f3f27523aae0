/** A disk of a few megabytes in memory, for tests that fill it. Mounting needs root on Linux. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const canMountDisks: boolean = process.platform === 'linux' && process.getuid?.() === 0

export interface SmallDisk {
  readonly path: string
  /** Nothing may be open on it. */
  remove(): void
}

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'tinycloud-disk-'))
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path)
  return {
    path,
    remove: () => {
      run('umount', path)
      rmSync(path, { recursive: true })
    },
  }
}

function run(command: string, ...argv: string[]): void {
  const { status, stderr } = spawnSync(command, argv, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${argv.join(' ')}: ${stderr}`)
}
