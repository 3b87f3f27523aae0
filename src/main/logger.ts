/** The log: one structured line per event, as JSON or as text. Never a token, a secret or a value. */
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

import { type NodeConfig } from './config/node-config.ts'

export type { Logger } from 'pino'

/** Numbers of pino. */
const LEVEL_NAMES: Readonly<Record<number, string>> = {
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

/** Fields that the text form shows in places of their own. */
const PLACED = new Set(['level', 'time', 'msg'])

/**
 * Lines are written at once, not buffered: there are few of them, and the last one before an end must not be lost.
 * `destination` is standard output unless given.
 */
export function createLogger(
  options: NodeConfig['log'],
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const stream: DestinationStream =
    options.format === 'json'
      ? destination
      : { write: (line) => destination.write(formatLine(line)) }
  const level = options.level === 'debug' ? 'debug' : 'info'
  return pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, stream)
}

/** Values that need no quotes in the text form. */
const PLAIN_VALUE = /^[!-~]+$/

/** One JSON line as text: time, level, event, then its fields as `name=value`. What could look like another line is quoted. */
function formatLine(line: string): string {
  const entry: Record<string, unknown> = JSON.parse(line)
  const level = LEVEL_NAMES[Number(entry['level'])] ?? ''
  const event = String(entry['msg']).replaceAll(/\s*\n\s*/g, ' ')
  const fields = Object.entries(entry)
    .filter(([name]) => !PLACED.has(name))
    .map(([name, value]) => ` ${name}=${formatValue(value)}`)
  return `${String(entry['time'])} ${level.padEnd(5)} ${event}${fields.join('')}\n`
}

function formatValue(value: unknown): string {
  return typeof value === 'string' && PLAIN_VALUE.test(value) ? value : JSON.stringify(value)
}
