/** What a compute worker works with: its readers, its part of the secret, the clock. Made once per worker. */
import { type KeyObject } from 'node:crypto'
import { type Askable } from '../../protocol/inquiry.ts'
import { type DatabaseReader } from '../database/facts.ts'
import { type BlockReader } from '../blocks/reader.ts'
import { type KeepRule, type SpaceLimits } from '../storage/request.ts'
import { type Staging } from '../blocks/staging.ts'
import { type Streams } from './streams.ts'

export interface ComputeContext {
  readonly database: DatabaseReader
  readonly blocks: BlockReader
  readonly staging: Staging
  readonly streams: Streams
  /** The node secret. Never logged, never part of an answer. */
  readonly secret: Uint8Array
  readonly cursorKey: KeyObject
  /** Names the rows of signed URLs. */
  readonly ticketKey: KeyObject
  readonly invocationLifetimeS: number
  readonly clockSkewS: number
  readonly implicitText: 'drop' | 'keep'
  readonly spaceLimits: SpaceLimits
  /** Versions are told and read only where some are kept. */
  readonly keepRule: KeepRule
  readonly askable: Askable
  /** Unix seconds with fractions. */
  readonly nowS: () => number
  /** Secret ones: nobody can guess what comes next. */
  readonly randomBytes: (count: number) => Uint8Array
}
