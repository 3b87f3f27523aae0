/**
 * Turns the accepted commands of a group, in order, into what is written: sections for the pack, and rows. Row ids and
 * places are known here, before anything is written, because the process gives them itself (DESIGN §4).
 *
 * Each `add…` changes the view, so that the commands after it are decided on its effects.
 */
import { type ChainLink } from '../../protocol/authority.ts'
import { concatBytes } from '../../protocol/bytes.ts'
import { parseSpaceId } from '../../protocol/resource.ts'
import { type RowIds } from '../database/row-id.ts'
import { type StatementRow } from '../database/rows.ts'
import { accountDelegationRows } from '../database/tables/account-delegation.ts'
import { formatClosure } from '../database/tables/delegation.ts'
import { type GroupChanges, type Purge, type RunProgress } from '../database/transactor.ts'
import { EpochDraft } from './epoch-draft.ts'
import { type GroupView, type SpaceState } from './group-view.ts'
import { type KeptView } from './kept/kept-view.ts'
import { type EventPlace, KeyChanges, type ObjectNumbers } from './key-changes.ts'
import { PackLayout, type Span } from './pack-layout.ts'
import { distinctLinks } from './relied-links.ts'
import {
  type DelegateCommand,
  type MutateCommand,
  type Operation,
  type RevokeCommand,
  type SignCommand,
  type StorageCommand,
} from './request.ts'

export interface PlanOptions {
  readonly ids: RowIds
  readonly objectNumbers: ObjectNumbers
  readonly packNo: number
  /** Committed length of the pack: where the sections of this group go. */
  readonly packOffset: number
  /** Undefined: replaced values are not kept. */
  readonly kept?: KeptView | undefined
  readonly nowS: number
}

type Mutable<T> = {
  -readonly [Field in keyof T]: T[Field] extends readonly (infer Item)[] ? Item[] : T[Field]
}
/** The rows that are complete as soon as they are planned. */
type PlannedRows = Mutable<
  Pick<
    GroupChanges,
    | 'statements'
    | 'events'
    | 'delegations'
    | 'delegationCids'
    | 'delegationSpaces'
    | 'accountDelegations'
    | 'revocations'
    | 'replays'
    | 'tickets'
  >
>

export class GroupPlan {
  readonly layout: PackLayout
  readonly keys: KeyChanges
  readonly #view: GroupView
  readonly #options: PlanOptions
  readonly #epochs = new Map<SpaceState, EpochDraft>()
  readonly #changedSpaces = new Set<SpaceState>()
  readonly #rows: PlannedRows = {
    statements: [],
    events: [],
    delegations: [],
    delegationCids: [],
    delegationSpaces: [],
    accountDelegations: [],
    revocations: [],
    replays: [],
    tickets: [],
  }

  constructor(view: GroupView, options: PlanOptions) {
    const { ids, objectNumbers, packNo, packOffset, kept } = options
    this.#view = view
    this.#options = options
    this.layout = new PackLayout(packNo, packOffset)
    this.keys = new KeyChanges({ view, layout: this.layout, ids, objectNumbers, kept })
  }

  /** Nothing was accepted that changes a row. */
  get isEmpty(): boolean {
    const { statements, delegationCids, tickets } = this.#rows
    return statements.length === 0 && delegationCids.length === 0 && tickets.length === 0
  }

  /** Gives the event of the change, where it is one of a single space and its versions may be kept. */
  addMutation(command: MutateCommand): EventPlace | undefined {
    const { operations, spaces, expiresAtS, statementId } = command
    const values = operations.map((operation) => this.#placeValue(operation))
    const statementNo = this.#addStatement(command, 'invocation', operations)
    this.#view.addReplay(expiresAtS, statementId)
    this.#rows.replays.push({ expiresAtS, statementId })
    const places: EventPlace[] = []
    for (const [spaceIndex, spaceId] of spaces.entries()) {
      const own = operations.filter((operation) => operation.spaceIndex === spaceIndex)
      const space = this.#view.hosted(spaceId)
      if (!space || own.length === 0) continue
      const digests = own.map(({ operationDigest }) => operationDigest)
      const event = this.#addEvent(space, statementNo, command.digest, digests)
      places.push(event)
      for (const [index, operation] of operations.entries()) {
        if (operation.spaceIndex === spaceIndex)
          this.keys.add(space, event, operation, index, values[index])
      }
    }
    return this.#options.kept && places.length === 1 ? places[0] : undefined
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
    this.#view.addTicket(space.spaceNo)
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
    const epochs = [...this.#epochs.values()].map((draft) => draft.finish(this.#options.nowS))
    const spaces = [...this.#changedSpaces]
    return {
      ...this.#rows,
      run,
      epochs,
      newSpaces: spaces.filter(({ isNew }) => isNew),
      changedSpaces: spaces.filter(({ isNew }) => !isNew),
      versions: this.keys.versions,
      currents: this.keys.currents(),
      objects: this.keys.objects,
      deadObjects: this.keys.deadObjects,
      deadAtS: this.#options.nowS,
      kept: this.#options.kept?.changes,
      packs: this.layout.changes,
      purge,
    }
  }

  #placeValue(operation: Operation): Span | undefined {
    return operation.kind === 'put' && operation.value.kind === 'packed'
      ? this.layout.place(operation.value.section)
      : undefined
  }

  /** The history record: the token's section and those of its operations, in one stretch. */
  #addStatement(
    { digest, statementId, tokenSection }: Exclude<StorageCommand, { kind: 'alias' | 'sign' }>,
    kind: StatementRow['kind'],
    operations: readonly Operation[],
  ): number {
    const statementNo = this.#options.ids.next()
    const span = this.layout.placeRecord(
      tokenSection,
      operations.map(({ operationSection }) => operationSection),
    )
    this.layout.claimRecord(statementNo, span)
    this.#rows.statements.push({
      statementNo,
      kind,
      digest,
      statementId,
      packNo: this.layout.packNo,
      packOffset: span.offset,
      packLength: span.lengthBytes,
      tokenLength: tokenSection.length,
    })
    return statementNo
  }

  #addEvent(
    space: SpaceState,
    statementNo: number,
    digest: Uint8Array,
    operations: readonly Uint8Array[],
  ): EventPlace {
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
}

const NO_HEADS = new Uint8Array(0)
