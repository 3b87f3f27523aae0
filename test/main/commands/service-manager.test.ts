import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'

import { notifyServiceManager } from '../../../src/main/commands/service-manager.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

describe('notifyServiceManager', () => {
  it('lets systemd-notify tell the socket that systemd gave, and nothing of the environment', async () => {
    const record = join(directory(), 'record')
    const program = join(directory(), 'systemd-notify')
    writeFileSync(
      program,
      `#!/bin/sh\nprintf '%s %s %s\\n' "$1" "$NOTIFY_SOCKET" "\${TINYCLOUD_KEYS_SECRET-none}" >> '${record}'\n`,
    )
    chmodSync(program, 0o700)
    const environment = {
      PATH: `${directory()}:/usr/bin:/bin`,
      NOTIFY_SOCKET: '/run/notify',
      TINYCLOUD_KEYS_SECRET: 'hunter2',
    }
    const recorded = (): string => (existsSync(record) ? readFileSync(record, 'utf8') : '')

    notifyServiceManager('ready', environment)
    await vi.waitFor(() => expect(recorded()).toBe('--ready /run/notify none\n'))
    notifyServiceManager('stopping', environment)
    await vi.waitFor(() => expect(recorded()).toContain('--stopping /run/notify none\n'))
  })

  it('does nothing when nobody asked, and survives a system without systemd-notify', async () => {
    const PATH = directory()
    writeFileSync(join(PATH, 'systemd-notify'), '#!/bin/sh\n: > called\n')
    notifyServiceManager('ready', { PATH })
    // Not executable: the spawn fails, as it does where there is none.
    notifyServiceManager('ready', { PATH, NOTIFY_SOCKET: '/run/notify' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(existsSync(join(PATH, 'called'))).toBe(false)
  })
})
