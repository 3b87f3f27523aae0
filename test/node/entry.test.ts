/** The program as its user starts it: what it prints where, and how it exits, when it cannot do what it is asked. */
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { PROJECT_ROOT } from '../_util/paths.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const ENTRY = join(PROJECT_ROOT, 'src/main/index.ts')
const RUN_TIMEOUT_MS = 15_000

interface Ending {
  readonly exitCode: number | string | undefined
  readonly output: string
  readonly errors: string
}

const runProgram = (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  nodeOptions: readonly string[] = [],
): Promise<Ending> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeOptions, ENTRY, ...args],
      { cwd: directory(), env: environment, timeout: RUN_TIMEOUT_MS },
      (error, output, errors) => resolve({ exitCode: error?.code ?? 0, output, errors }),
    )
  })

/** An option of node: its version says another number. */
const pretend = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`

describe('the program', () => {
  it('exits with 0, 1 and 2: done, failed, misunderstood', async () => {
    expect(await runProgram(['version'])).toMatchObject({ exitCode: 0, errors: '' })
    expect(await runProgram(['demo', 'http://127.0.0.1:9'])).toMatchObject({
      exitCode: 1,
      output: '',
    })
    expect(await runProgram(['dmeo'])).toMatchObject({ exitCode: 2, output: '' })
  })

  it('says on an older Node what it needs, and does nothing', async () => {
    for (const version of ['20.19.0', '22.18.0', '18.0.0']) {
      const ending = await runProgram(['version'], {}, ['--import', pretend(version)])
      expect(ending).toMatchObject({ exitCode: 1, output: '' })
      expect(ending.errors).toContain(
        `tinycloud needs Node 22.19 or newer (24 is recommended); this is ${version}.`,
      )
      expect(ending.errors).toContain('npm ci')
    }
    for (const version of ['22.19.0', '26.0.0'])
      expect(await runProgram(['version'], {}, ['--import', pretend(version)])).toMatchObject({
        exitCode: 0,
      })
  })

  it('does not mind that its reader stops reading', async () => {
    const shell = `"${process.execPath}" "${ENTRY}" help | head -1`
    const errors = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', shell], { env: {} }, (_error, _output, text) => resolve(text))
    })
    expect(errors).toBe('')
  })
})

describe('a start that fails', () => {
  it.each([
    ['a name that nobody knows', { TINYCLOUD_PROT: '1' }, 'Did you mean TINYCLOUD_PORT?'],
    ['a value that is wrong', { TINYCLOUD_PORT: '80x' }, 'must be a whole number'],
    [
      'a part that comes later',
      { TINYCLOUD_HOOKS__MAX_TICKET_TTL_SECONDS: '5' },
      'which this version does not have',
    ],
    [
      'another database',
      { TINYCLOUD_STORAGE_DATABASE: 'postgres://h/d' },
      'come with a later version',
    ],
    ['a short secret', { TINYCLOUD_KEYS_SECRET: 'c2hvcnQ' }, 'at least 32 are needed'],
    ['a file that is missing', { TINYCLOUD_CONFIG_FILE: 'x.toml' }, 'does not exist'],
    ['the port of the metrics', { TINYCLOUD_PROMETHEUS_PORT: '8000' }, 'is the port of the node'],
    ['useless blocks', { TINYCLOUD_STORAGE_BLOCKS_PATH: 'b' }, 'keeps nothing'],
  ])('for %s says so, exits with 1 and leaves nothing behind', async (_name, environment, text) => {
    const { exitCode, output, errors } = await runProgram([], environment)
    expect(exitCode).toBe(1)
    expect(output).toBe('')
    expect(errors).toContain('✗ ')
    expect(errors).toContain(text)
    expect(errors).toMatch(/\n {2}Why: {9}\S[\s\S]*\n {2}What to do: {2}\S/)
    expect(errors).not.toMatch(/\n\s+at .*:\d+/)
    expect(readdirSync(directory())).toEqual([])
  })

  it('for a data directory that cannot be made', async () => {
    writeFileSync(join(directory(), 'file'), '')
    const { exitCode, errors } = await runProgram([], { TINYCLOUD_STORAGE_DATADIR: 'file/data' })
    expect(exitCode).toBe(1)
    expect(errors).toContain('cannot be created')
  })

  it('for a port in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = String(typeof address === 'object' && address !== null ? address.port : 0)
    const { exitCode, errors } = await runProgram([], {
      TINYCLOUD_PORT: port,
      TINYCLOUD_STORAGE_DATADIR: 'data',
    })
    await new Promise((resolve) => taken.close(resolve))
    expect(exitCode).toBe(1)
    expect(errors).toContain(`✗ The node cannot listen on 127.0.0.1:${port}`)
    expect(errors).toContain('TINYCLOUD_PORT=')
  })
})
