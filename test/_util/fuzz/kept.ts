/** Findings of earlier runs, each with the smallest input that showed it. They are tried first, for ever. */
import { readFileSync } from 'node:fs'

export interface KeptInput {
  readonly target: string
  /** What was wrong. */
  readonly finding: string
  /** JSON, in the form of its target: text, hexadecimal bytes, or a value. */
  readonly input: unknown
}

const FILE = new URL('../../fuzz/regressions.json', import.meta.url)

const ALL: readonly KeptInput[] = JSON.parse(readFileSync(FILE, 'utf8'))

export const keptInputs = (target: string): KeptInput[] =>
  ALL.filter((kept) => kept.target === target)
