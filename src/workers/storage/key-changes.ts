/** The versions that a group writes, and which version of each changed key counts in the end. */
import { isSameVersion } from '../../protocol/version-id.ts'
import { type RowIds } from '../database/row-id.ts'
import { type ObjectRow } from '../database/rows.ts'
import { type VersionRow } from '../database/tables/kv.ts'
import { type CurrentChange, type KeyVersion } from '../database/transactor.ts'
import { keyText } from './group-questions.ts'
import { type GroupView, type SpaceState } from './group-view.ts'
import { type KeptView } from './kept/kept-view.ts'
import { type PackLayout, type Span } from './pack-layout.ts'
import { type Operation } from './request.ts'

/** Gives large values their object numbers: the same one each time that a staged value is asked for. */
export interface ObjectNumbers {
  numberOf(stagingNo: number): number
}

/** The event that a version belongs to. */
export interface EventPlace {
  readonly eventNo: number
  readonly epochSeq: number
  /** Of the epoch. */
  readonly seq: number
}

export interface KeyChangesOptions {
  readonly view: GroupView
  readonly layout: PackLayout
  readonly ids: RowIds
  readonly objectNumbers: ObjectNumbers
  /** Undefined: replaced values are not kept. */
  readonly kept: KeptView | undefined
}

export class KeyChanges {
  readonly versions: VersionRow[] = []
  readonly objects: ObjectRow[] = []
  readonly deadObjects: number[] = []
  /** Staged values that become objects. */
  readonly adoptions: { readonly stagingNo: number; readonly objectNo: number }[] = []
  readonly #options: KeyChangesOptions
  readonly #changed = new Map<string, { spaceNo: number; key: Uint8Array; seq: number }>()

  constructor(options: KeyChangesOptions) {
    this.#options = options
  }

  /** `span`: where the value of a packed put was placed. */
  add(
    space: SpaceState,
    event: EventPlace,
    operation: Operation,
    operationIndex: number,
    span: Span | undefined,
  ): void {
    const { view, layout, ids } = this.#options
    const { spaceNo } = space
    const { key } = operation
    const before = view.key(spaceNo, key)
    const versionNo = ids.next()
    if (before && !before.version.isDeleted)
      this.#replace(space, key, before.version, { event, versionNo })
    const isPut = operation.kind === 'put'
    const row: VersionRow = {
      versionNo,
      spaceNo,
      key,
      ...event,
      previousNo: before?.version.versionNo ?? null,
      isDeleted: !isPut,
      digest: isPut ? operation.digest : (before?.version.digest ?? NO_DIGEST),
      valueBytes: isPut ? operation.valueBytes : 0,
      packNo: span ? layout.packNo : null,
      packOffset: span?.offset ?? null,
      packLength: span?.lengthBytes ?? null,
      objectNo: isPut ? this.#adopt(operation) : null,
      headers: isPut ? operation.headers : '[]',
      operationIndex,
    }
    this.versions.push(row)
    if (span) layout.claimValue(versionNo, span)
    space.liveBytes += row.valueBytes
    view.setKey(spaceNo, key, { version: row, found: before?.found ?? 'none' })
    this.#changed.set(keyText(spaceNo, key), { spaceNo, key, seq: event.seq })
  }

  /** The rows that say which version counts, each key once. */
  currents(): CurrentChange[] {
    return [...this.#changed.values()].map(({ spaceNo, key, seq }) => {
      const state = this.#options.view.key(spaceNo, key)
      if (!state) throw new Error('a changed key is not in the view')
      const { versionNo, isDeleted } = state.version
      return { row: { spaceNo, isDeleted, key, versionNo, seq }, found: state.found }
    })
  }

  /** The version does not count any more. Its row stays, as history; its value, as long as it is kept. Rule: HIST-6. */
  #replace(
    space: SpaceState,
    key: Uint8Array,
    version: KeyVersion,
    by: { readonly event: EventPlace; readonly versionNo: number },
  ): void {
    const { kept } = this.#options
    space.liveBytes -= version.valueBytes
    // What its own command replaces was never to be read.
    if (!kept || isSameVersion(version, by.event)) {
      this.#drop(version)
      return
    }
    space.historyBytes += version.valueBytes
    for (const gone of kept.keep(space.spaceNo, key, version, by.versionNo)) {
      space.historyBytes -= gone.valueBytes
      this.#drop(gone)
    }
  }

  #drop({
    packNo,
    packLength,
    objectNo,
  }: Pick<KeyVersion, 'packNo' | 'packLength' | 'objectNo'>): void {
    if (packNo !== null) this.#options.layout.releaseValue(packNo, packLength ?? 0)
    if (objectNo !== null) this.deadObjects.push(objectNo)
  }

  /** Object number of a staged value; null for a value that lies in the pack. */
  #adopt({ value, valueBytes }: Extract<Operation, { kind: 'put' }>): number | null {
    if (value.kind === 'packed') return null
    const objectNo = this.#options.objectNumbers.numberOf(value.stagingNo)
    this.adoptions.push({ stagingNo: value.stagingNo, objectNo })
    this.objects.push({ objectNo, valueBytes, segments: value.segments })
    return objectNo
  }
}

/** Of a deletion that removed nothing. */
const NO_DIGEST = new Uint8Array(32)
