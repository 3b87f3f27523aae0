/** The limit server as a child process. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface LimitProcess {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

export async function startLimitProcess(): Promise<LimitProcess> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('limit-server.ts', import.meta.url))],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
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
