/**
 * Turns the accepted commands of a group, in order, into what is written: sections for the pack, and rows. Row ids and
 * places are known here, before anything is written, because the process gives them itself (DESIGN §4).
 *
 * Each `add…` changes the view, so that the commands after it are decided on its effects.
 */
import { type ChainLink } from '../../protocol/authority.ts'
import { concatBytes } from '../../protocol/bytes.ts'
import { parseSpaceId } from '../../protocol/resource.ts'
import { type PackEntry } from '../blocks/packs/pack-index.ts'
import { type RowIds } from '../database/row-id.ts'
import { type StatementRow } from '../database/rows.ts'
import { accountDelegationRows } from '../database/tables/account-delegation.ts'
import { formatClosure } from '../database/tables/delegation.ts'
import { type VersionRow } from '../database/tables/kv.ts'
import {
  type CurrentChange,
  type GroupChanges,
  type KeyVersion,
  type Purge,
  type RunProgress,
} from '../database/transactor.ts'
import { EpochDraft } from './epoch-draft.ts'
import { type GroupView, type SpaceState } from './group-view.ts'
import { keyText } from './group-questions.ts'
import { distinctLinks } from './relied-links.ts'
import {
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type RevokeCommand,
  type SignCommand,
  type StorageCommand,
} from './request.ts'

/** Gives large values their object numbers: the same one each time that a staged value is asked for. */
export interface ObjectNumbers {
  numberOf(stagingNo: number): number
}

export interface PlanOptions {
  readonly ids: RowIds
  readonly objectNumbers: ObjectNumbers
  readonly packNo: number
  /** Committed length of the pack: where the sections of this group go. */
  readonly packOffset: number
  readonly nowS: number
}

interface Span {
  readonly offset: number
  readonly lengthBytes: number
}

type Mutable<T> = {
  -readonly [Field in keyof T]: T[Field] extends readonly (infer Item)[] ? Item[] : T[Field]
}
type PlannedRows = Mutable<
  Omit<GroupChanges, 'run' | 'currents' | 'epochs' | 'newSpaces' | 'changedSpaces' | 'purge'>
>

export class GroupPlan {
  /** What is appended to the pack, in order. Borrowed from the commands. */
  readonly sections: Uint8Array[] = []
  /** Staged values that become objects. */
  readonly adoptions: { readonly stagingNo: number; readonly objectNo: number }[] = []
  /** What the index of the pack will say of the sections. */
  readonly packEntries: PackEntry[] = []
  readonly #view: GroupView
  readonly #options: PlanOptions
  readonly #rows: PlannedRows
  readonly #packLiveBytes = new Map<number, number>()
  readonly #epochs = new Map<SpaceState, EpochDraft>()
  readonly #changedSpaces = new Set<SpaceState>()
  readonly #changedKeys = new Map<string, { spaceNo: number; key: Uint8Array; seq: number }>()
  #sectionBytes = 0

  constructor(view: GroupView, options: PlanOptions) {
    this.#view = view
    this.#options = options
    this.#rows = {
      statements: [],
      events: [],
      versions: [],
      objects: [],
      deadObjects: [],
      deadAtS: options.nowS,
      delegations: [],
      delegationCids: [],
      delegationSpaces: [],
      accountDelegations: [],
      revocations: [],
      replays: [],
      tickets: [],
      packLiveBytes: this.#packLiveBytes,
    }
  }

  /** Bytes that the sections take. */
  get sectionBytes(): number {
    return this.#sectionBytes
  }

  /** Nothing was accepted that changes a row. */
  get isEmpty(): boolean {
    const { statements, delegationCids, tickets } = this.#rows
    return statements.length === 0 && delegationCids.length === 0 && tickets.length === 0
  }

  addMutation(command: MutateCommand): void {
    const { operations, spaces, expiresAtS, statementId } = command
    const values = operations.map((operation) => this.#placeValue(operation))
    const statementNo = this.#addStatement(command, 'invocation', operations)
    this.#view.addReplay(expiresAtS, statementId)
    this.#rows.replays.push({ expiresAtS, statementId })
    for (const [spaceIndex, spaceId] of spaces.entries()) {
      const own = operations.filter((operation) => operation.spaceIndex === spaceIndex)
      const space = this.#view.hosted(spaceId)
      if (!space || own.length === 0) continue
      const digests = own.map(({ operationDigest }) => operationDigest)
      const event = this.#addEvent(space, statementNo, command.digest, digests)
      for (const [index, operation] of operations.entries()) {
        if (operation.spaceIndex === spaceIndex)
          this.#addVersion(space, event, operation, index, values[index])
      }
    }
  }

  addDelegation(command: DelegateCommand, closure: readonly ChainLink[]): void {
    const statementNo = this.#addStatement(command, 'delegation', [])
    const delegationNo = this.#options.ids.next()
    for (const spaceId of command.spaces) {
      const space = this.#view.space(spaceId) ?? this.#addSpace(spaceId)
      if (space.hostedAtS === null && command.hosts.includes(spaceId)) {
        space.hostedAtS = this.#options.nowS
        this.#changedSpaces.add(space)
      }
      const isHosted = space.hostedAtS !== null
      const event = isHosted ? this.#addEvent(space, statementNo, command.digest, []) : undefined
      const eventNo = event?.eventNo ?? null
      this.#rows.delegationSpaces.push({ spaceNo: space.spaceNo, delegationNo, eventNo })
    }
    this.#rows.delegations.push({
      delegationNo,
      statementId: command.statementId,
      digest: command.digest,
      encoding: command.encoding,
      delegator: command.delegator,
      delegatee: command.delegatee,
      notBeforeS: command.notBeforeS ?? null,
      expiresAtS: command.expiresAtS ?? null,
      issuedAtS: command.issuedAtS ?? null,
      effectiveNotBeforeS: command.effectiveNotBeforeS ?? null,
      effectiveExpiresAtS: command.effectiveExpiresAtS ?? null,
      isTerminal: command.isTerminal,
      capabilities: command.capabilities,
      parents: concatBytes(command.parents),
      closure: formatClosure(closure),
      accounts: JSON.stringify(command.accounts),
      statementNo,
    })
    this.#rows.accountDelegations.push(...accountDelegationRows(delegationNo, command))
    this.addAlias(command.digest, delegationNo)
    this.#view.addDelegation(command.statementId, delegationNo)
  }

  /** One more CID of a delegation. Adding one that is known changes nothing. */
  addAlias(digest: Uint8Array, delegationNo: number): void {
    this.#rows.delegationCids.push({ digest, delegationNo })
  }

  addRevocation(command: RevokeCommand): void {
    const statementNo = this.#addStatement(command, 'revocation', [])
    this.#rows.revocations.push({
      targetStatementId: command.target.statementId,
      revocationNo: this.#options.ids.next(),
      targetDigest: command.target.digest,
      revoker: command.revoker,
      revokedAtS: this.#options.nowS,
      statementNo,
    })
    for (const spaceId of command.spaces) {
      const space = this.#view.hosted(spaceId)
      if (space) this.#addEvent(space, statementNo, command.digest, [])
    }
    this.#view.addRevocation(command.target)
  }

  /** A ticket is no event of its space: it is gone in minutes. */
  addTicket(command: SignCommand): void {
    const space = this.#view.hosted(command.spaces[command.spaceIndex] ?? '')
    if (!space) throw new Error('a ticket for a space that is not hosted')
    this.#rows.tickets.push({
      ticketId: command.ticketId,
      signer: command.signer,
      spaceNo: space.spaceNo,
      key: command.key,
      digest: command.valueDigest,
      createdAtS: this.#options.nowS,
      expiresAtS: command.expiresAtS,
      closure: formatClosure(distinctLinks(command.relies)),
    })
  }

  /** Closes the epochs. The plan is spent. */
  finish(run: RunProgress, purge: Purge | undefined): GroupChanges {
    const epochs = [...this.#epochs.values()].map((draft) => draft.finish())
    const spaces = [...this.#changedSpaces]
    return {
      ...this.#rows,
      run,
      epochs,
      newSpaces: spaces.filter(({ isNew }) => isNew),
      changedSpaces: spaces.filter(({ isNew }) => !isNew),
      currents: [...this.#changedKeys.values()].map((changed) => this.#currentOf(changed)),
      purge,
    }
  }

  #place(section: Uint8Array): Span {
    const span = {
      offset: this.#options.packOffset + this.#sectionBytes,
      lengthBytes: section.length,
    }
    this.sections.push(section)
    this.#sectionBytes += section.length
    return span
  }

  #placeValue(operation: Operation): Span | undefined {
    return operation.kind === 'put' && operation.value.kind === 'packed'
      ? this.#place(operation.value.section)
      : undefined
  }

  /** The history record: the token's section and those of its operations, in one stretch. */
  #addStatement(
    { digest, statementId, tokenSection }: Exclude<StorageCommand, { kind: 'alias' | 'sign' }>,
    kind: StatementRow['kind'],
    operations: readonly Operation[],
  ): number {
    const statementNo = this.#options.ids.next()
    const { packNo } = this.#options
    const { offset } = this.#place(tokenSection)
    for (const { operationSection } of operations) this.#place(operationSection)
    const packLength = this.#options.packOffset + this.#sectionBytes - offset
    this.#rows.statements.push({
      statementNo,
      kind,
      digest,
      statementId,
      packNo,
      packOffset: offset,
      packLength,
      tokenLength: tokenSection.length,
    })
    this.packEntries.push({ rowId: statementNo, offset, lengthBytes: packLength })
    this.#addLiveBytes(packNo, packLength)
    return statementNo
  }

  #addEvent(
    space: SpaceState,
    statementNo: number,
    digest: Uint8Array,
    operations: readonly Uint8Array[],
  ): { readonly eventNo: number; readonly epochSeq: number; readonly seq: number } {
    let draft = this.#epochs.get(space)
    if (!draft) {
      draft = new EpochDraft(this.#options.ids.next(), space)
      this.#epochs.set(space, draft)
      this.#changedSpaces.add(space)
    }
    const row = draft.add(this.#options.ids.next(), statementNo, { digest, operations })
    this.#rows.events.push(row)
    space.historyBytes += this.#rows.statements.at(-1)?.packLength ?? 0
    return { eventNo: row.eventNo, epochSeq: row.epochSeq, seq: draft.seq }
  }

  #addVersion(
    space: SpaceState,
    event: { readonly eventNo: number; readonly epochSeq: number; readonly seq: number },
    operation: Operation,
    operationIndex: number,
    span: Span | undefined,
  ): void {
    const { spaceNo } = space
    const { key } = operation
    const before = this.#view.key(spaceNo, key)
    if (before && !before.version.isDeleted) this.#drop(space, before.version)
    const versionNo = this.#options.ids.next()
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
      packNo: span ? this.#options.packNo : null,
      packOffset: span?.offset ?? null,
      packLength: span?.lengthBytes ?? null,
      objectNo: isPut ? this.#adopt(operation) : null,
      headers: isPut ? operation.headers : '[]',
      operationIndex,
    }
    this.#rows.versions.push(row)
    if (span) {
      this.packEntries.push({ rowId: versionNo, ...span })
      this.#addLiveBytes(this.#options.packNo, span.lengthBytes)
    }
    space.liveBytes += row.valueBytes
    this.#view.setKey(spaceNo, key, { version: row, found: before?.found ?? 'none' })
    this.#changedKeys.set(keyText(spaceNo, key), { spaceNo, key, seq: event.seq })
  }

  /** The version does not count any more. Its row stays, as history. */
  #drop(space: SpaceState, { packNo, packLength, objectNo, valueBytes }: KeyVersion): void {
    space.liveBytes -= valueBytes
    if (packNo !== null) this.#addLiveBytes(packNo, -(packLength ?? 0))
    if (objectNo !== null) this.#rows.deadObjects.push(objectNo)
  }

  /** Object number of a staged value; null for a value that lies in the pack. */
  #adopt({ value, valueBytes }: Extract<Operation, { kind: 'put' }>): number | null {
    if (value.kind === 'packed') return null
    const objectNo = this.#options.objectNumbers.numberOf(value.stagingNo)
    this.adoptions.push({ stagingNo: value.stagingNo, objectNo })
    this.#rows.objects.push({ objectNo, valueBytes, segments: value.segments })
    return objectNo
  }

  #addSpace(spaceId: string): SpaceState {
    const space: SpaceState = {
      isNew: true,
      spaceNo: this.#options.ids.next(),
      spaceId,
      owner: parseSpaceId(spaceId).owner,
      hostedAtS: null,
      nextSeq: 0,
      heads: NO_HEADS,
      lastEpochNo: null,
      lastEventNo: null,
      liveBytes: 0,
      historyBytes: 0,
    }
    this.#view.addSpace(space)
    this.#changedSpaces.add(space)
    return space
  }

  #addLiveBytes(packNo: number, bytes: number): void {
    this.#packLiveBytes.set(packNo, (this.#packLiveBytes.get(packNo) ?? 0) + bytes)
  }

  #currentOf({
    spaceNo,
    key,
    seq,
  }: {
    spaceNo: number
    key: Uint8Array
    seq: number
  }): CurrentChange {
    const state = this.#view.key(spaceNo, key)
    if (!state) throw new Error('a changed key is not in the view')
    const { versionNo, isDeleted } = state.version
    return { row: { spaceNo, isDeleted, key, versionNo, seq }, found: state.found }
  }
}

const NO_DIGEST = new Uint8Array(32)
const NO_HEADS = new Uint8Array(0)
