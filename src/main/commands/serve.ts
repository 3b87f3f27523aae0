/**
 * `tinycloud serve`: runs the node until it is told to stop or something that it depends on breaks.
 *
 * Exit code 0: stopped cleanly. 1: it could not start, it broke, or it could not stop in time; the reason is on standard
 * error. A node that keeps nothing removes its temporary directory on the way out, however it ends short of SIGKILL.
 */
import { rmSync } from 'node:fs'

import { type OpenedConfig, openConfig, parseConfig } from '../config/config.ts'
import { formatFault } from '../fault.ts'
import { createLogger, type Logger } from '../logger.ts'
import { startNode } from '../start.ts'
import { readVersion } from '../version.ts'
import { type Command, EXIT, UsageError } from './command.ts'
import { notifyServiceManager } from './service-manager.ts'

/** After the node was closed nothing should keep the process alive; should something do, it is ended after this time. */
const LINGER_MS_MAX = 1000
/** One Ctrl-C arrives twice under `npm start`: from the terminal, and passed on by npm. Within this time it is one. */
const SIGNAL_ECHO_MS_MAX = 500

export const serve: Command = async (args, context) => {
  if (args.length > 0)
    throw new UsageError(`tinycloud serve takes no arguments, but got ${args[0]}.`)
  const stopRequest = awaitStopRequest()
  const opened = openConfig(parseConfig(context))
  removeAtExit(opened.config.temporaryDirectory)

  const version = readVersion()
  const log = createLogger(opened.config.log)
  logConfiguration(opened, log)
  const node = await startNode(opened.config, opened.secrets, { log, version })
  notifyServiceManager('ready', context.environment)

  const ending = await Promise.race([stopRequest, node.failed])
  if (ending !== undefined) context.writeError(formatFault(ending))
  notifyServiceManager('stopping', context.environment)
  const { clean } = await node.close()
  endSoon()
  return clean && ending === undefined ? EXIT.ok : EXIT.failure
}

/** Resolves at the first SIGTERM or SIGINT; another one, later, ends the process on the spot, which is always safe. */
function awaitStopRequest(): Promise<undefined> {
  return new Promise((resolve) => {
    let firstMs: number | undefined
    const onSignal = (): void => {
      const nowMs = performance.now()
      firstMs ??= nowMs
      if (nowMs - firstMs > SIGNAL_ECHO_MS_MAX) process.exit(EXIT.failure)
      resolve(undefined)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** Runs also when the process ends by an error that nobody caught. */
function removeAtExit(directory: string | undefined): void {
  if (directory !== undefined)
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
}

/** What the person who starts the node should know. Never a secret. */
function logConfiguration(opened: OpenedConfig, log: Logger): void {
  const { config, file, warnings, newSecretPath } = opened
  log.info(
    { configFile: file ?? 'none', database: config.database.path, blocks: config.blocks.path },
    'configured',
  )
  for (const warning of warnings) log.warn(warning)
  if (newSecretPath !== undefined)
    log.warn(
      { path: newSecretPath },
      'secret generated: back this up, the identity of the node is derived from it',
    )
}

/** The exit code is already decided; a timer that nothing waits for ends a process that something keeps alive. */
function endSoon(): void {
  setTimeout(() => process.exit(), LINGER_MS_MAX).unref()
}
