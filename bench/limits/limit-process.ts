/** The limit servers as child processes. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const LIMIT_FILES = {
  /** Bare fastify with one native signature check. */
  verify: 'verify-server.ts',
  /** A plain pipe between the connection and a file, with a native hash. */
  pipe: 'pipe-server.ts',
} as const

export type LimitName = keyof typeof LIMIT_FILES

export interface LimitProcess {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** `directory`: where a limit that writes files may do so. */
export async function startLimitProcess(name: LimitName, directory: string): Promise<LimitProcess> {
  const file = fileURLToPath(new URL(LIMIT_FILES[name], import.meta.url))
  const child = spawn(process.execPath, [file, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()))
    void exited.then(() => reject(new Error('the limit server ended before it listened')))
  })
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}
