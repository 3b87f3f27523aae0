/** What a question of the bench is, and what it answers. */
import { type Spread } from './compare/pairs.ts'
import { type BenchSettings } from './compare/settings.ts'
import { type Plot } from './report/plot.ts'

export interface Question {
  /** Of its file and of `--only`. */
  readonly name: string
  /** One sentence. */
  readonly asks: string
  answer(settings: BenchSettings): Promise<Answer>
}

export interface Answer {
  readonly figures: readonly Figure[]
  readonly plots?: readonly Plot[]
  /** Everything that was measured, for the JSON file. */
  readonly data: unknown
}

/** One line of the table. Absolute values belong to the machine; shares do not. */
export interface Figure {
  readonly label: string
  readonly unit: string
  readonly node: Spread
  readonly limit?: Spread | undefined
  readonly against?: Spread | undefined
  /** The node's figure over the limit's, pair by pair. */
  readonly share?: Spread | undefined
  readonly shareOfAgainst?: Spread | undefined
  readonly target?: Target | undefined
  readonly remarks?: readonly string[]
}

export interface Target {
  /** As DESIGN §8 has it. */
  readonly text: string
  /** Undefined where this run cannot tell. */
  readonly isReached: boolean | undefined
}

export const atLeast = (share: Spread | undefined, least: number): Target => ({
  text: `≥ ${Math.round(least * 100)} % of the limit`,
  isReached: share && share.median >= least,
})

export const atMost = (value: number, most: number, text: string): Target => ({
  text,
  isReached: value <= most,
})
