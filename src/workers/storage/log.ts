/** Log lines of the storage thread; main owns the logger. Never a token, a key of a space, or a value. */
import { type StorageEvent } from './request.ts'

type LogEvent = Extract<StorageEvent, { kind: 'log' }>

export type Log = (level: LogEvent['level'], event: string, fields: LogEvent['fields']) => void
