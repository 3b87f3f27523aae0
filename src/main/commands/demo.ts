/**
 * `tinycloud demo [URL]`: a newcomer's proof, in one command, that a running node does what it should.
 *
 * It speaks to the node as any client does, over HTTP, with a wallet and keys that exist for the moment only.
 */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

import { parseConfig } from '../config/config.ts'
import { StartFault } from '../../workers/storage/request.ts'
import { type Command, type CommandContext, EXIT, UsageError } from './command.ts'
import { createCast } from './demo-cast.ts'
import { DEMO_STEPS, SHARED_FOLDER } from './demo-steps.ts'
import { createWire, NodeUnreachable, UnexpectedAnswer } from './demo-wire.ts'

const WILDCARD_ADDRESSES: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

export const demo: Command = async (args, context) => {
  const { url, isVerbose } = parseArguments(args, context)
  const wire = createWire(url, isVerbose ? context.writeLine : undefined)
  const signing = { domain: url.host, nowS: Date.now() / 1000, randomBytes }
  const cast = createCast(signing, SHARED_FOLDER)
  const startedMs = performance.now()
  for (const { name, run } of DEMO_STEPS) {
    try {
      context.writeLine(`✓ ${name.padEnd(8)} ${await run(cast, wire)}`)
    } catch (error) {
      if (error instanceof NodeUnreachable) throw unreachableFault(url, error)
      if (!(error instanceof UnexpectedAnswer)) throw error
      context.writeError(`✗ ${name.padEnd(8)} ${error.message}\n`)
      return EXIT.failure
    }
  }
  const elapsedMs = Math.round(performance.now() - startedMs)
  context.writeLine(
    `The node at ${url.origin} works: ${DEMO_STEPS.length} steps in ${elapsedMs} ms.`,
  )
  return EXIT.ok
}

function parseArguments(
  args: readonly string[],
  context: CommandContext,
): { url: URL; isVerbose: boolean } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { verbose: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    if (positionals.length > 1) throw new UsageError('tinycloud demo takes one URL.')
    return { url: parseUrl(positionals[0] ?? urlOfOwnNode(context)), isVerbose: values.verbose }
  } catch (error) {
    if (error instanceof TypeError)
      throw new UsageError(`tinycloud demo: ${error.message}`, { cause: error })
    throw error
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(
      `tinycloud demo: ${text} is not the URL of a node, such as http://127.0.0.1:8000.`,
    )
  return url
}

/** The node that is configured here. */
function urlOfOwnNode(context: CommandContext): string {
  const { address, port } = parseConfig(context).general
  const host = WILDCARD_ADDRESSES.get(address) ?? address
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

const unreachableFault = (url: URL, error: NodeUnreachable): StartFault =>
  new StartFault(
    {
      what: `No node answers at ${url.origin}`,
      why: error.message,
      remedy:
        'Start one (npm start, or tinycloud), or give the URL of one: tinycloud demo http://127.0.0.1:8000',
    },
    { cause: error },
  )
