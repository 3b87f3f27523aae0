/** What the node says about itself: one function per event, so that names and fields stay the same. They never throw. */
import { type RoomLevel } from '../workers/storage/request.ts'
import { type Exchange } from './http/exchange.ts'
import { type Logger } from './logger.ts'
import { type StorageLogLine } from './storage-client.ts'

/** The request as it came, without its query, its headers and its body. */
export function logRequest(log: Logger, exchange: Exchange, status: number): void {
  if (!log.isLevelEnabled('debug')) return
  const { refusal } = exchange
  log.debug(
    {
      traceId: exchange.traceId,
      method: exchange.request.method,
      route: exchange.route,
      status,
      ...(refusal && { code: refusal.code }),
      ms: Math.round((performance.now() - exchange.startedMs) * 10) / 10,
    },
    'request',
  )
}

export function logRequestFault(log: Logger, exchange: Exchange, error: unknown): void {
  log.error(
    { traceId: exchange.traceId, route: exchange.route, error: describe(error) },
    'request fault',
  )
}

/** `host`: whom the node asked, as the configuration calls it. */
export function logNetworkFault(log: Logger, host: string, fault: Error): void {
  log.warn({ host, reason: fault.message }, 'another host did not answer')
}

export function logComputeFault(log: Logger, fault: unknown): void {
  log.error({ error: describe(fault) }, 'compute fault')
}

export function logWorkerLost(log: Logger, threadId: number, reason: string): void {
  log.error({ threadId, reason }, 'compute worker lost')
}

export function logUnwritable(log: Logger, reason: string): void {
  log.error({ reason }, 'storage takes no more changes')
}

/** A cycle came to its end. What it found damaged was told one by one. */
export function logScrubbed(
  log: Logger,
  fields: { readonly problems: number; readonly bytes: number },
): void {
  log[fields.problems === 0 ? 'debug' : 'error'](fields, 'scrubbed')
}

export function logRoom(log: Logger, level: RoomLevel, freeBytes: number): void {
  if (level === 'enough') log.info({ freeBytes }, 'the disk has space again')
  else if (level === 'low') log.warn({ freeBytes }, 'the disk is nearly full: puts are refused')
  else log.warn({ freeBytes }, 'the disk is nearly full: puts and delegations are refused')
}

export function logScrubFailed(log: Logger, reason: string): void {
  log.error({ reason }, 'scrub failed')
}

export function logStorageLine(log: Logger, { level, event, fields }: StorageLogLine): void {
  log[level]({ ...fields, thread: 'storage' }, event)
}

export function logListening(log: Logger, fields: Readonly<Record<string, unknown>>): void {
  log.info(fields, 'listening')
}

export function logStopping(log: Logger, phase: string): void {
  log.info({ phase }, 'stopping')
}

export function logStopped(log: Logger, late: readonly string[]): void {
  if (late.length === 0) log.info('stopped')
  else log.warn({ late }, 'stopped past its time limit')
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
