/** What every command of `tinycloud` is: arguments in, lines out, an exit code. */
import { type Environment } from '../config/env.ts'

export interface CommandContext {
  readonly environment: Environment
  /** Absolute. */
  readonly workingDirectory: string
  /** Standard output; the line end is added. */
  readonly writeLine: (line: string) => void
  /** Standard error, as it is. */
  readonly writeError: (text: string) => void
  /** Standard error is a terminal, where a line can be drawn over. */
  readonly isTerminal?: boolean
}

/** Exit codes of the program. */
export const EXIT = {
  ok: 0,
  /** It could not start, something it depends on broke, or it could not stop in time. */
  failure: 1,
  /** The command line is wrong. */
  usage: 2,
} as const

/** `args` are the words after the name of the command. */
export type Command = (args: readonly string[], context: CommandContext) => number | Promise<number>

/** The command line is wrong; the text says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
