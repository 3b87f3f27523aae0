/** What is wrong with what somebody wrote, or has no meaning: collected, so that all of it is said at once. */
import { type ForeignName } from './foreign-names.ts'

/** One value as somebody wrote it, before it is known whether its name and type are right. */
export interface WrittenValue {
  /** Dotted. */
  readonly key: string
  readonly value: unknown
  /** Where it was written, such as `/etc/tinycloud.toml [global]`. */
  readonly origin: string
}

/** Sentences and names for the person who wrote it. Never a value that may be secret. */
export interface Findings {
  /** Each stops the start. */
  readonly problems: string[]
  /** Names that have no meaning on this node. */
  readonly meaningless: string[]
}

/** Notes a name that is no setting. `shown` is how the sentence calls it; `nearest` is asked only if nobody knows it. */
export function noteUnknownName(
  findings: Findings,
  unknown: {
    readonly name: string
    readonly shown: string
    readonly foreign: ForeignName | undefined
    readonly nearest: () => string
  },
): void {
  const { name, shown, foreign, nearest } = unknown
  if (foreign === undefined) {
    findings.problems.push(`${shown} is not known. Did you mean ${nearest()}?`)
  } else if (foreign.kind === 'meaningless') {
    findings.meaningless.push(name)
  } else {
    findings.problems.push(
      `${shown} sets ${foreign.part}, which this version does not have. Remove it, or wait for the version that has it.`,
    )
  }
}
