/**
 * Whatever is written, the answer is a configuration or a fault in sentences: never another error, never a value that
 * may be secret, and always soon.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { stringify } from 'smol-toml'
import { describe, expect, it } from 'vitest'

import { parseConfig } from '../../../src/main/config/config.ts'
import { exactVariableOf, variableOf } from '../../../src/main/config/env.ts'
import { SETTING_KEYS } from '../../../src/main/config/schema.ts'
import { StartFault } from '../../../src/workers/storage/request.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

/** Marks a value that must not be shown. */
const MARK = 'hunter2hunter2'

/** What the outcome is: nothing, or each of the three sentences. */
const SENTENCES = /^$|^\S[\s\S]*\n\S[\s\S]*\n\S/

/** The sentences of the fault, or nothing if there is none. */
const describeOutcome = (environment: Readonly<Record<string, string>>): string => {
  try {
    parseConfig({ environment, workingDirectory: directory() })
    return ''
  } catch (error) {
    if (!(error instanceof StartFault)) throw error
    return Object.values(error.fault).join('\n')
  }
}

const words = fc.constantFrom(
  'storage',
  'blocks',
  'port',
  'keys',
  'secret',
  'limit',
  'hooks',
  'global',
  'default',
  '__proto__',
  'constructor',
  'x',
)
const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true }),
  fc.constant(MARK),
  fc.array(fc.string(), { maxLength: 2 }),
)
const table = fc.letrec<{ value: unknown; table: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalar, tie('table')),
  table: fc.dictionary(words, tie('value'), { maxKeys: 4 }),
})).table

const variable = fc.oneof(
  fc.constantFrom(...SETTING_KEYS.flatMap((key) => [variableOf(key), exactVariableOf(key)])),
  words.map((word) => `TINYCLOUD_${word}`),
  fc.string().map((text) => `tinycloud_${text}`),
)

describe('a configuration that nobody wrote on purpose', () => {
  it('in variables is taken, or refused in sentences', () => {
    fc.assert(
      fc.property(fc.dictionary(variable, fc.string(), { maxKeys: 6 }), (environment) => {
        const outcome = describeOutcome({ ...environment, TINYCLOUD_CONFIG_FILE: '/dev/null' })
        expect(outcome).toMatch(SENTENCES)
      }),
      { numRuns: 500 },
    )
  })

  it('in a file is taken, or refused in sentences', () => {
    fc.assert(
      fc.property(table, (document) => {
        writeFileSync(join(directory(), 'tinycloud.toml'), stringify(document))
        expect(describeOutcome({})).toMatch(SENTENCES)
      }),
      { numRuns: 300 },
    )
  })

  it('of any bytes is taken, or refused in sentences', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        writeFileSync(join(directory(), 'tinycloud.toml'), bytes)
        expect(describeOutcome({})).toMatch(SENTENCES)
      }),
      { numRuns: 200 },
    )
  })

  it('never has a secret repeated', () => {
    for (const value of [`"${MARK}"`, `["${MARK}"]`, `{ ${MARK} = 1 }`, `"${MARK}`])
      for (const key of ['keys.secret', 'global.keys.secret']) {
        writeFileSync(join(directory(), 'tinycloud.toml'), `${key} = ${value}\n`)
        const outcome = describeOutcome({})
        expect(outcome).not.toBe('')
        expect(outcome.replaceAll(`keys.secret.${MARK}`, '')).not.toContain(MARK)
      }
    expect(describeOutcome({ TINYCLOUD_KEYS_SECRET: MARK })).not.toContain(MARK)
    expect(
      describeOutcome({ TINYCLOUD_STORAGE_DATABASE: `mysql://root:${MARK}@h/d` }),
    ).not.toContain(MARK)
  })

  it('takes no longer the longer it is', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `unknown_name_${index} = 1`)
    writeFileSync(join(directory(), 'tinycloud.toml'), names.join('\n'))
    const startedMs = performance.now()
    const outcome = describeOutcome({})
    expect(outcome).toContain('2000 problems')
    expect(outcome).toContain('and 1980 more')
    expect(outcome.length).toBeLessThan(10_000)
    expect(performance.now() - startedMs).toBeLessThan(5000)
  })
})
