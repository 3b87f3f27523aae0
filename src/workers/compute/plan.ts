/**
 * The two halves of an entry: what it wants to know, and what follows from it. `planX` functions parse and verify
 * (CPU only); the batch reads all wants in one snapshot; `complete` then decides on facts (DESIGN §2: one hop).
 */
import { type ErrorCode } from '../../protocol/error.ts'
import { type ReadFacts, type ReadRequest } from '../database/facts.ts'
import { type StorageCommand } from '../storage/request.ts'
import { type ResultBody } from './request.ts'

/** What an entry comes to: a result of the batch, or a command that goes with it. The request id is added by the batch. */
export type Outcome =
  | Exclude<ResultBody, { kind: 'command' }>
  | { readonly kind: 'command'; readonly command: StorageCommand }

export interface Plan {
  readonly read: ReadRequest
  /** The refusal when the database cannot be read, where a route has one of its own. */
  readonly unavailable?: ErrorCode
  /** @throws {ProtocolError} when the facts do not allow the request */
  readonly complete: (facts: ReadFacts) => Outcome | Promise<Outcome>
}

const NOTHING_TO_READ: ReadRequest = { delegations: [], statements: [], spaces: [], keys: [] }

/** A read request that asks only for what is named. */
export const readRequest = (wants: Partial<ReadRequest>): ReadRequest => ({
  ...NOTHING_TO_READ,
  ...wants,
})

/** The read of one plan made outside a batch: a second look, a next page. */
export async function readOnce(
  database: { read(batch: readonly ReadRequest[]): ReadFacts[] | Promise<ReadFacts[]> },
  wants: Partial<ReadRequest>,
): Promise<ReadFacts> {
  const [facts] = await database.read([readRequest(wants)])
  if (!facts) throw new Error('the reader answered fewer requests than it was asked')
  return facts
}
