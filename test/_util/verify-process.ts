/** `tinycloud verify` as a process of its own, on the data of a node that runs or not. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { PROJECT_ROOT } from './paths.ts'

const ENTRY = path.join(PROJECT_ROOT, 'src/main/index.ts')
const TIMEOUT_MS_DEFAULT = 120_000

export interface VerifyRun {
  readonly exitCode: number | string
  /** Report and faults together. */
  readonly output: string
}

/** `directory` holds `data`. */
export const runVerifyProcess = (
  directory: string,
  timeoutMs: number = TIMEOUT_MS_DEFAULT,
): Promise<VerifyRun> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [ENTRY, 'verify'],
      {
        cwd: directory,
        env: { TINYCLOUD_STORAGE_DATADIR: path.join(directory, 'data') },
        timeout: timeoutMs,
      },
      (error, output, errors) =>
        resolve({ exitCode: error ? (error.code ?? 'killed') : 0, output: output + errors }),
    )
  })
