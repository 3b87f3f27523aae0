/**
 * The epoch that a group adds to one space: all of its events in the order accepted (DESIGN §4 "Epochs"). The space row
 * holds the heads, so nothing of the history is read to extend it.
 */
import { blake3 } from '../../protocol/crypto/blake3.ts'
import { formatEpoch } from '../../protocol/history.ts'
import { type EpochRow, type EventRow } from '../database/rows.ts'
import { readDigests } from '../database/tables/delegation.ts'
import { type SpaceState } from './group-view.ts'

/** A token and the operations that it does in the space: digests, in the order of its capabilities. */
export interface EpochEvent {
  readonly digest: Uint8Array
  readonly operations: readonly Uint8Array[]
}

export class EpochDraft {
  readonly epochNo: number
  readonly seq: number
  readonly #space: SpaceState
  readonly #events: EpochEvent[] = []

  constructor(epochNo: number, space: SpaceState) {
    this.epochNo = epochNo
    this.seq = space.nextSeq
    this.#space = space
  }

  /** Appends an event and makes it the last one of its space. */
  add(eventNo: number, statementNo: number, event: EpochEvent): EventRow {
    const row = {
      eventNo,
      spaceNo: this.#space.spaceNo,
      epochNo: this.epochNo,
      epochSeq: this.#events.length,
      statementNo,
      previousNo: this.#space.lastEventNo,
    }
    this.#events.push(event)
    this.#space.lastEventNo = eventNo
    return row
  }

  /** Hashes the epoch and makes it the only head of its space. */
  finish(writtenAtS: number): EpochRow {
    const space = this.#space
    const block = formatEpoch({ events: this.#events, parents: readDigests(space.heads) })
    const row = {
      epochNo: this.epochNo,
      spaceNo: space.spaceNo,
      seq: this.seq,
      digest: blake3(block),
      block,
      previousNo: space.lastEpochNo,
      writtenAtS,
    }
    space.heads = row.digest
    space.nextSeq = this.seq + 1
    space.lastEpochNo = this.epochNo
    space.historyBytes += block.length
    return row
  }
}
