/**
 * Epochs whose events are still coming. An epoch is written with the first of its events; the others come with later
 * commands of the same group. Once all of them can have come, the epoch is composed again from its rows and must be the
 * stored block byte by byte: that proves its events, their order, its parents and its canonical form at once.
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { formatEpoch, type HistoryEvent } from '../../../protocol/history.ts'
import { type EpochRow } from '../../database/rows.ts'
import { GROUP_COMMANDS_MAX } from '../../storage/mailbox.ts'
import { type Findings } from './findings.ts'
import { type SpaceWalk } from './walk-state.ts'

interface OpenEpoch {
  readonly row: EpochRow
  readonly parents: readonly Uint8Array[]
  readonly events: HistoryEvent[]
  /** Ordinal of the statement that it came with. */
  readonly openedAt: number
  /** An event or what it names is damaged and was reported: comparing would only report it again. */
  isSuspect: boolean
}

export class OpenEpochs {
  readonly #findings: Findings
  /** In the order in which they came. */
  readonly #epochs = new Map<number, OpenEpoch>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** An epoch follows the last one of its space. */
  open(row: EpochRow, space: SpaceWalk | undefined, ordinal: number): void {
    const subject = { kind: 'epoch', rowId: row.epochNo } as const
    this.#findings.count('epoch')
    if (!space) {
      this.#findings.report('epoch', subject, `names space ${row.spaceNo}, which is not there`)
      return
    }
    if (row.seq !== space.nextSeq)
      this.#findings.report('epoch', subject, `has seq ${row.seq} and should have ${space.nextSeq}`)
    if (row.previousNo !== space.lastEpochNo)
      this.#findings.report('epoch', subject, 'does not follow the last epoch of its space')
    if (!equalBytes(blake3(row.block), row.digest))
      this.#findings.report('epoch', subject, 'its block fails its hash')
    this.#epochs.set(row.epochNo, {
      row,
      parents: space.head ? [space.head] : [],
      events: [],
      openedAt: ordinal,
      isSuspect: false,
    })
    space.nextSeq = row.seq + 1
    space.head = row.digest
    space.lastEpochNo = row.epochNo
    space.historyBytes += row.block.length
  }

  /** Undefined: it is not there, or complete. */
  find(epochNo: number): Pick<OpenEpoch, 'row' | 'events'> | undefined {
    return this.#epochs.get(epochNo)
  }

  suspect(epochNo: number): void {
    const epoch = this.#epochs.get(epochNo)
    if (epoch) epoch.isSuspect = true
  }

  /** Completes what no later statement of the same group can add to. */
  settle(ordinal: number): void {
    for (const [epochNo, epoch] of this.#epochs) {
      if (ordinal - epoch.openedAt <= GROUP_COMMANDS_MAX) return
      this.#epochs.delete(epochNo)
      this.#complete(epoch)
    }
  }

  /** Nothing comes any more. */
  finish(): void {
    for (const epoch of this.#epochs.values()) this.#complete(epoch)
    this.#epochs.clear()
  }

  #complete({ row, parents, events, isSuspect }: OpenEpoch): void {
    if (isSuspect || equalBytes(formatEpoch({ events, parents }), row.block)) return
    // A block that fails its hash was reported when it came.
    if (!equalBytes(blake3(row.block), row.digest)) return
    this.#findings.report(
      'epoch',
      { kind: 'epoch', rowId: row.epochNo },
      'is not the block of its events and parents',
    )
  }
}
