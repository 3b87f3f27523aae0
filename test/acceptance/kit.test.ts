/**
 * The public conformance kit against the real program. Goal: no case of profile `core` fails, one at a time on the
 * default pool, and several at a time on a pool of four.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../_util/node-process.ts'
import { findKit, IS_CI, PROJECT_ROOT } from '../_util/paths.ts'

const KIT_TIMEOUT_MS = 240_000

const kit = findKit()

interface KitRun {
  readonly exitCode: number | null
  readonly output: string
}

async function runKit(url: string, jobs: number): Promise<KitRun> {
  const script = path.join(kit ?? '', 'run.mjs')
  const child = spawn(
    process.execPath,
    [script, url, '--profile', 'core', '--jobs', String(jobs)],
    {
      cwd: PROJECT_ROOT,
      env: { ...process.env, KIT_DEPS: PROJECT_ROOT },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let output = ''
  child.stdout.on('data', (part) => (output += String(part)))
  child.stderr.on('data', (part) => (output += String(part)))
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { exitCode, output }
}

let node: NodeProcess | undefined
let directory: string | undefined

afterEach(async () => {
  await node?.kill()
  if (directory !== undefined) await removeDirectory(directory)
})

// Elsewhere the kit may be absent: the message names what was not run and how to run it.
describe.skipIf(kit === undefined && !IS_CI)(
  'conformance kit (TINYCLOUD_KIT, else ../shared/conformance)',
  () => {
    it.each([
      { name: 'one case at a time', jobs: 1, computeWorkers: undefined },
      { name: 'four at a time on four compute workers', jobs: 4, computeWorkers: 4 },
    ])(
      'passes profile core, $name',
      async ({ jobs, computeWorkers }) => {
        expect(kit, 'the conformance kit is missing: set TINYCLOUD_KIT').toBeDefined()
        directory = await createDirectory('kit')
        node = await startNodeProcess({
          directory,
          ...(computeWorkers === undefined ? {} : { computeWorkers }),
        })
        const { exitCode, output } = await runKit(node.url, jobs)
        expect(`${output}\n${node.output()}`).toMatch(/^\d+ passed, 0 failed, \d+ skipped$/m)
        expect(exitCode).toBe(0)
        const passed = Number(/^(\d+) passed/m.exec(output)?.[1])
        expect(passed, 'the profile has 180 cases').toBeGreaterThan(150)
        expect(await node.stop()).toEqual({ code: 0, signal: null })
      },
      KIT_TIMEOUT_MS,
    )
  },
)
