/** The published vectors of this project: what a file of `test/vectors/own` holds. */

export interface VectorCase<I = unknown, E = unknown> {
  readonly name: string
  /** Identifier of a rule in docs/protocol.md. */
  readonly rule: string
  /** Where the rule comes from, in the notation of docs/protocol.md. */
  readonly source: string
  readonly input: I
  readonly expect: E
}

export interface VectorSuite<I = unknown, E = unknown> {
  /** The name of the file. */
  readonly suite: string
  /** What an input is, and what is expected. */
  readonly about: string
  readonly cases: readonly VectorCase<I, E>[]
}

/** Expected where nothing but a refusal may come out. The code is one of docs/protocol.md. */
export interface Refused {
  readonly refused: string
}

export const MALFORMED: Refused = { refused: 'TOKEN_MALFORMED' }

/** Cases of one rule, by name. */
export const casesOf = <I, E>(
  rule: string,
  source: string,
  cases: Readonly<Record<string, readonly [input: I, expect: E]>>,
): VectorCase<I, E>[] =>
  Object.entries(cases).map(([name, [input, expect]]) => ({ name, rule, source, input, expect }))
