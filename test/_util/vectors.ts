/**
 * Public test vectors: data beside the project, not part of it. `TINYCLOUD_VECTORS` names their folder, otherwise it is
 * `../shared/vectors` as seen from the project. Without the folder a suite is skipped, under `CI` it fails.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, describe } from 'vitest'

const PROJECT = resolve(import.meta.dirname, '../..')
const FOLDER = process.env['TINYCLOUD_VECTORS'] ?? resolve(PROJECT, '../shared/vectors')

/** What a suite has shown so far. Each case is counted once, whether one or several backends ran it. */
export class VectorTally {
  cases = 0
  passed = 0
  readonly deviations: string[] = []

  /** A case that must hold: `assertHolds` throws otherwise, and the error says which case it was. */
  check(name: string, assertHolds: () => void): void {
    this.cases++
    try {
      assertHolds()
    } catch (cause) {
      throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
    this.passed++
  }

  /** A case whose verdict we do not share, for `reason`; `assertOurs` shows what we do instead. */
  deviate(name: string, reason: string, assertOurs: () => void): void {
    this.check(name, assertOurs)
    this.passed--
    this.deviations.push(`${name}: ${reason}`)
  }
}

/** The files of one suite. */
export class VectorFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  list(folder = '.'): string[] {
    return readdirSync(join(this.#path, folder)).toSorted()
  }

  bytes(name: string): Uint8Array {
    return new Uint8Array(readFileSync(join(this.#path, name)))
  }

  text(name: string): string {
    return readFileSync(join(this.#path, name), 'utf8')
  }

  /** Untyped: the caller claims the shape, a vector file being part of its test. */
  json(name: string) {
    return JSON.parse(this.text(name))
  }

  /** One value a line; blank lines and lines starting with `#` are no cases. Nothing is trimmed. */
  lines(name: string): string[] {
    return this.text(name)
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  }
}

/**
 * Defines the tests of one suite, a folder of the vectors, and prints what they covered. Files are read inside the
 * tests, so that a missing folder skips them.
 */
export function describeVectors(
  suite: string,
  define: (folder: VectorFolder, tally: VectorTally) => void,
): void {
  const path = join(FOLDER, suite)
  const isMissing = !existsSync(path)
  if (isMissing && process.env['CI'] !== undefined) {
    throw new Error(`no vectors at ${path}: set TINYCLOUD_VECTORS`)
  }
  const remark = isMissing ? ' (not found, set TINYCLOUD_VECTORS)' : ''
  describe.skipIf(isMissing)(`vectors ${suite}${remark}`, () => {
    const tally = new VectorTally()
    define(new VectorFolder(path), tally)
    afterAll(() => {
      const { cases, passed, deviations } = tally
      const head = `vectors ${suite}: ${cases} cases, ${passed} passed, ${deviations.length} deviations`
      console.log([head, ...deviations.map((deviation) => `  ${deviation}`)].join('\n'))
    })
  })
}
