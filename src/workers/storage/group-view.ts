/**
 * What a group knows while it is decided: the facts as loaded, and over them the effects of the commands accepted so
 * far. So two commands of one group see each other as if each had been committed alone.
 */
import { type ChainLink } from '../../protocol/authority.ts'
import { toLatin1 } from '../../protocol/bytes.ts'
import { type SpaceRow } from '../database/rows.ts'
import { type GroupFacts, type GroupQuestions, type KeyVersion } from '../database/transactor.ts'
import { keyText, replayText } from './group-questions.ts'

/** A space row under change. */
export type SpaceState = { -readonly [Field in keyof SpaceRow]: SpaceRow[Field] } & {
  readonly isNew: boolean
}

/** The version that counts for a key now, and the row of it that the database has. */
export interface KeyState {
  readonly version: KeyVersion
  readonly found: 'none' | 'live' | 'deleted'
}

export class GroupView {
  readonly #spaces = new Map<string, SpaceState>()
  readonly #keys = new Map<string, KeyState>()
  readonly #replays = new Set<string>()
  readonly #delegations = new Map<string, number>()
  readonly #revoked = new Set<string>()
  /** Tickets by space number. */
  readonly #tickets = new Map<number, number>()
  /** An invocation that expires at or before this time is expired whatever the clock says. */
  readonly replayBoundS: number

  constructor(questions: GroupQuestions, facts: GroupFacts) {
    this.replayBoundS = facts.replayBoundS
    for (const row of facts.spaces) if (row) this.#spaces.set(row.spaceId, { ...row, isNew: false })
    for (const [index, { spaceIndex, key }] of questions.keys.entries()) {
      const version = facts.keys[index]
      const space = facts.spaces[spaceIndex]
      if (!version || !space) continue
      const found = version.isDeleted ? 'deleted' : 'live'
      this.#keys.set(keyText(space.spaceNo, key), { version, found })
    }
    for (const [index, { expiresAtS, statementId }] of questions.replays.entries())
      if (facts.replays[index]) this.#replays.add(replayText(expiresAtS, statementId))
    for (const [index, statementId] of questions.delegations.entries()) {
      const delegationNo = facts.delegations[index]
      if (delegationNo !== undefined) this.#delegations.set(toLatin1(statementId), delegationNo)
    }
    for (const [index, link] of questions.links.entries())
      if (facts.links[index]) this.#revoked.add(toLatin1(link.statementId))
    for (const [index, spaceIndex] of (questions.tickets ?? []).entries()) {
      const space = facts.spaces[spaceIndex]
      if (space) this.#tickets.set(space.spaceNo, facts.tickets?.[index] ?? 0)
    }
  }

  /** Named here before, hosted or not. */
  space(space: string): SpaceState | undefined {
    return this.#spaces.get(space)
  }

  hosted(space: string): SpaceState | undefined {
    const state = this.#spaces.get(space)
    return state && state.hostedAtS !== null ? state : undefined
  }

  addSpace(state: SpaceState): void {
    this.#spaces.set(state.spaceId, state)
  }

  /** Undefined: never written. */
  key(spaceNo: number, key: Uint8Array): KeyState | undefined {
    return this.#keys.get(keyText(spaceNo, key))
  }

  setKey(spaceNo: number, key: Uint8Array, state: KeyState): void {
    this.#keys.set(keyText(spaceNo, key), state)
  }

  isReplayed(expiresAtS: number, statementId: Uint8Array): boolean {
    return this.#replays.has(replayText(expiresAtS, statementId))
  }

  addReplay(expiresAtS: number, statementId: Uint8Array): void {
    this.#replays.add(replayText(expiresAtS, statementId))
  }

  /** Row id; undefined: not stored. */
  delegationNo(statementId: Uint8Array): number | undefined {
    return this.#delegations.get(toLatin1(statementId))
  }

  addDelegation(statementId: Uint8Array, delegationNo: number): void {
    this.#delegations.set(toLatin1(statementId), delegationNo)
  }

  /** Tickets of signed URLs that are kept for a space. */
  tickets(spaceNo: number): number {
    return this.#tickets.get(spaceNo) ?? 0
  }

  addTicket(spaceNo: number): void {
    this.#tickets.set(spaceNo, this.tickets(spaceNo) + 1)
  }

  isRevoked(link: ChainLink): boolean {
    return this.#revoked.has(toLatin1(link.statementId))
  }

  addRevocation(target: ChainLink): void {
    this.#revoked.add(toLatin1(target.statementId))
  }
}
