/** Runs a command of `tinycloud` in this process and keeps what it writes. */
import { runCommand } from '../../src/main/commands/run-command.ts'
import { type Environment } from '../../src/main/config/env.ts'

export interface CommandRun {
  readonly exitCode: number
  readonly output: string
  readonly errors: string
}

export async function runInProcess(
  argv: readonly string[],
  {
    environment = {},
    workingDirectory = '/',
  }: { environment?: Environment; workingDirectory?: string } = {},
): Promise<CommandRun> {
  const lines: string[] = []
  const errors: string[] = []
  const exitCode = await runCommand(argv, {
    environment,
    workingDirectory,
    writeLine: (line) => void lines.push(`${line}\n`),
    writeError: (text) => void errors.push(text),
  })
  return { exitCode, output: lines.join(''), errors: errors.join('') }
}
