/** Finds the command that the arguments name and runs it. Without a name it is `serve`. */
import { processEnvironment } from '../config/env.ts'
import { nearestName } from '../config/nearest-name.ts'
import { formatFault, faultOf } from '../fault.ts'
import { type Command, type CommandContext, EXIT, UsageError } from './command.ts'
import { demo } from './demo.ts'
import { help } from './help.ts'
import { serve } from './serve.ts'
import { verify } from './verify.ts'
import { version } from './version.ts'

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['serve', serve],
  ['demo', demo],
  ['verify', verify],
  ['version', version],
  ['help', help],
])

/** What people try first. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['-v', 'version'],
])

function createProcessContext(): CommandContext {
  // Who pipes the output into `head` closes the pipe before its end, which is no fault of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  return {
    environment: processEnvironment(),
    workingDirectory: process.cwd(),
    writeLine: (line) => void process.stdout.write(`${line}\n`),
    writeError: (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
  }
}

/** Runs to the end of the command and gives the exit code; it never throws for what a user did. */
export async function runCommand(
  argv: readonly string[],
  context: CommandContext = createProcessContext(),
): Promise<number> {
  try {
    const { command, args } = selectCommand(argv)
    return await command(args, context)
  } catch (error) {
    if (error instanceof UsageError) {
      context.writeError(`${error.message}\n\`tinycloud help\` shows what there is.\n`)
      return EXIT.usage
    }
    context.writeError(formatFault(faultOf(error)))
    return EXIT.failure
  }
}

function selectCommand(argv: readonly string[]): { command: Command; args: readonly string[] } {
  const [first, ...rest] = argv
  if (first === undefined) return { command: serve, args: [] }
  const name = ALIASES.get(first) ?? first
  const command = COMMANDS.get(name)
  if (command !== undefined) return { command, args: rest }
  if (name.startsWith('-')) throw new UsageError(`tinycloud: there is no option ${name}.`)
  const nearest = nearestName(name, [...COMMANDS.keys()])
  throw new UsageError(`tinycloud: there is no command ${name}. Did you mean ${nearest}?`)
}
