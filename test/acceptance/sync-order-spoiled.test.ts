/**
 * The sync-order check must fail on a node that does not sync. Method: copies of the sources from which one sync was
 * taken out, run and traced like the real ones. Part of the long run (`npm run test:long`): each copy is a whole trace.
 */
import { describe, expect, it } from 'vitest'
import { type Spoiling, withSpoiledCopy } from '../_util/spoiled-copy.ts'
import { checkSequentialChanges } from '../_util/sync-trace.ts'
import { traceSequentialChanges } from '../_util/traced-node.ts'

const TRACE_TIMEOUT_MS = 120_000

interface Fault extends Spoiling {
  readonly name: string
  /** What the check must say. */
  readonly finds: RegExp
}

const FAULTS: readonly Fault[] = [
  {
    name: 'packs are not synced',
    file: 'src/workers/blocks/packs/pack-file.ts',
    pattern: /this\.#files\.fdatasyncSync\(this\.#descriptor\)/g,
    replacement: 'void this.#files',
    finds: /packs\/.*was not synced before the answer/,
  },
  {
    name: 'commits are not synced',
    file: 'src/workers/database/sqlite/connection.ts',
    pattern: /synchronous = FULL/g,
    replacement: 'synchronous = NORMAL',
    finds: /-wal was not synced before the answer/,
  },
  {
    name: 'uploads are not synced',
    file: 'src/workers/blocks/staged-upload.ts',
    pattern: /\.datasync\(\)/g,
    replacement: '.stat().then(() => {})',
    finds: /staging\/.*was not synced before the answer/,
  },
  {
    name: 'the directories of large values are not synced',
    file: 'src/workers/blocks/objects/object-files.ts',
    pattern: /this\.#directories\.sync\(directory\)/g,
    replacement: 'void directory',
    finds: /its directory was not synced/,
  },
]

describe.runIf(process.env['TINYCLOUD_TEST_LONG'] !== undefined)('a node of which', () => {
  it.each(FAULTS)(
    '$name is found out',
    async ({ finds, ...spoiling }) => {
      const problems = await withSpoiledCopy([spoiling], async (projectRoot) => {
        const { calls, changes } = await traceSequentialChanges({ projectRoot })
        return checkSequentialChanges(calls, changes)
      })
      expect(problems.join('\n')).toMatch(finds)
    },
    TRACE_TIMEOUT_MS,
  )
})
