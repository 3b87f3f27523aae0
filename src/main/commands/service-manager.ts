/**
 * Tells systemd how the node is. Node cannot write the datagram itself, so `systemd-notify` does it; the unit therefore
 * sets `NotifyAccess=all`. Without NOTIFY_SOCKET nobody asked, and nothing happens.
 */
import { spawn } from 'node:child_process'

import { type Environment } from '../config/env.ts'

const ARGUMENTS = { ready: '--ready', stopping: '--stopping' } as const

/** Never throws and is not waited for: a message that is lost shows in systemd as a start that timed out. */
export function notifyServiceManager(
  state: keyof typeof ARGUMENTS,
  { NOTIFY_SOCKET: socket, PATH: path }: Environment,
): void {
  if (socket === undefined) return
  const child = spawn('systemd-notify', [ARGUMENTS[state]], {
    env: { NOTIFY_SOCKET: socket, PATH: path },
    stdio: 'ignore',
  })
  child.on('error', () => undefined)
  child.unref()
}
