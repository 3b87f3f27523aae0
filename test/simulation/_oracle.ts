/** What storage should hold and answer: the rules of the actor once more, as plainly as they can be said. */
import { equalBytes, toHex } from '../../src/protocol/bytes.ts'
import { type KeepRule } from '../../src/workers/storage/request.ts'
import { formatRawCid } from '../../src/protocol/cid.ts'
import {
  type DelegateCommand,
  type MutateCommand,
  type ReliedDelegation,
  type RevokeCommand,
  type StorageCommand,
} from '../../src/workers/storage/request.ts'

interface KeyState {
  /** Hexadecimal; of a deleted key, of what was deleted. */
  readonly digest: string
  readonly isDeleted: boolean
}

/** A replaced value. */
export interface KeptValue {
  /** Hexadecimal. */
  readonly digest: string
  readonly replacedAtS: number
  /** Some rule has allowed to let it go: it may be there, or not. */
  isDue: boolean
}

/** What a life keeps, and its clock. */
export interface Keeping {
  readonly keepRule: KeepRule
  readonly nowS: number
}

const etag = (digest: string): string => `200 "blake3-${digest}"`

export class Oracle {
  readonly hosted: Set<string>
  /** By `‹space› ‹key›`. */
  readonly keys: Map<string, KeyState>
  /** By the same names, the newest first. */
  readonly kept: Map<string, KeptValue[]>
  readonly used: Set<string>
  /** Expiry of each invocation that took effect and is not forgotten yet, by statement id. */
  readonly replays: Map<string, number>
  /** What expires at or before this is refused. */
  boundS: number
  /** The last group wrote something. */
  hasChanged = false
  readonly delegations: Map<string, DelegateCommand>
  readonly revoked: Set<string>
  /** Signed statements that took effect: tells states apart in which the same is to be read. */
  statements: number

  constructor(from?: Oracle) {
    this.hosted = new Set(from?.hosted)
    this.keys = new Map(from?.keys)
    this.kept = new Map(
      [...(from?.kept ?? [])].map(([name, values]) => [
        name,
        values.map((value) => ({ ...value })),
      ]),
    )
    this.used = new Set(from?.used)
    this.replays = new Map(from?.replays)
    this.boundS = from?.boundS ?? -Infinity
    this.delegations = new Map(from?.delegations)
    this.revoked = new Set(from?.revoked)
    this.statements = from?.statements ?? 0
  }

  /** What is told of the command, whose effects are then here. */
  apply(command: StorageCommand, keeping: Keeping): string {
    if (command.kind === 'mutate') return this.#mutate(command, keeping)
    if (command.kind === 'delegate') return this.#delegate(command)
    if (command.kind === 'revoke') return this.#revoke(command)
    throw new Error('not part of the simulation')
  }

  #isRevoked = ({ closure }: ReliedDelegation): boolean =>
    closure.some(({ statementId }) => this.revoked.has(toHex(statementId)))

  #mutate(command: MutateCommand, keeping: Keeping): string {
    if (command.relies.some(this.#isRevoked)) return 'revoked'
    if (command.spaces.some((space) => !this.hosted.has(space))) return 'SPACE_NOT_FOUND'
    const id = toHex(command.statementId)
    if (command.expiresAtS <= this.boundS) return 'INVOCATION_TIME'
    if (this.replays.has(id)) return 'DUPLICATE_INVOCATION'
    if (this.used.has(id)) throw new Error('the oracle forgot an invocation')
    const keys = new Map(this.keys)
    const replaced: [name: string, digest: string][] = []
    let told = '200'
    for (const operation of command.operations) {
      const space = command.spaces[operation.spaceIndex] ?? ''
      const name = `${space} ${String(operation.key)}`
      const before = keys.get(name)
      const live = before && !before.isDeleted ? before.digest : undefined
      // What its own command replaces was never to be read.
      if (live !== undefined && this.keys.get(name) === before) replaced.push([name, live])
      const { precondition } = command
      if (precondition.kind === 'absent' && live) return 'PRECONDITION_FAILED'
      if (precondition.kind === 'matches' && live !== toHex(precondition.digest))
        return 'PRECONDITION_FAILED'
      if (operation.kind === 'put') {
        keys.set(name, { digest: toHex(operation.digest), isDeleted: false })
        told = etag(toHex(operation.digest))
        continue
      }
      if (!before) return `NO_SUCH_KEY ${String(operation.key)}`
      keys.set(name, { digest: before.digest, isDeleted: true })
      told = live ? etag(live) : '200'
    }
    this.used.add(id)
    this.statements += 1
    this.replays.set(id, command.expiresAtS)
    this.hasChanged = true
    this.keys.clear()
    for (const [name, state] of keys) this.keys.set(name, state)
    for (const [name, digest] of replaced) this.#keep(name, digest, keeping)
    return command.operations.length === 1 ? told : '200'
  }

  #delegate(command: DelegateCommand): string {
    const id = toHex(command.statementId)
    const stored = this.delegations.get(id)
    if (!stored) {
      if (command.relies.some(this.#isRevoked)) return 'revoked'
      this.delegations.set(id, command)
      this.statements += 1
      for (const space of command.hosts) this.hosted.add(space)
    } else if (!equalBytes(stored.digest, command.digest)) {
      throw new Error('spellings are not part of the simulation')
    }
    // Another spelling would have been added: this one is looked at like one.
    this.hasChanged = true
    const isHosted = (space: string): boolean => this.hosted.has(space)
    return `200 ${JSON.stringify({
      cid: formatRawCid(command.digest),
      activated: command.spaces.filter(isHosted),
      skipped: command.spaces.filter((space) => !isHosted(space)),
    })}`
  }

  #revoke(command: RevokeCommand): string {
    const target = toHex(command.target.statementId)
    if (!this.delegations.has(target)) return 'REVOCATION_TARGET_NOT_FOUND'
    if (!this.revoked.has(target)) {
      this.hasChanged = true
      this.statements += 1
    }
    this.revoked.add(target)
    return `200 {"revoked":true,"cid":"${command.targetCid}"}`
  }

  /** Invocations that expired by then are forgotten, and the bound is raised to them. Nothing is purged in an empty group. */
  purge(toS: number): void {
    if (!this.hasChanged) return
    for (const [id, expiresAtS] of this.replays) {
      if (expiresAtS > toS) continue
      this.replays.delete(id)
      this.boundS = Math.max(this.boundS, expiresAtS)
    }
  }

  #keep(name: string, digest: string, { keepRule, nowS }: Keeping): void {
    if (keepRule.kind === 'none') return
    const values = this.kept.get(name) ?? []
    this.kept.set(name, [{ digest, replacedAtS: nowS, isDue: false }, ...values])
    if (keepRule.kind === 'versions') this.#markBeyond(keepRule.versions)
  }

  /** From now on the life may let go of what its rule does not keep. */
  markDue({ keepRule, nowS }: Keeping): void {
    if (keepRule.kind === 'versions') this.#markBeyond(keepRule.versions)
    for (const values of this.kept.values())
      for (const value of values) {
        if (keepRule.kind === 'none') value.isDue = true
        if (keepRule.kind === 'time' && value.replacedAtS + keepRule.seconds <= nowS)
          value.isDue = true
      }
  }

  #markBeyond(versions: number): void {
    for (const values of this.kept.values())
      for (const value of values.slice(versions)) value.isDue = true
  }

  /** Everything that a reader can see, as one text. */
  describe(): string {
    return describeState({
      statements: this.statements,
      hosted: [...this.hosted],
      keys: [...this.keys].map(
        ([name, { digest, isDeleted }]) => `${name} ${isDeleted ? 'deleted' : digest}`,
      ),
      delegations: [...this.delegations.values()].map((command) => {
        const links = [
          command.statementId,
          ...command.relies.flatMap(({ closure }) => closure.map((link) => link.statementId)),
        ]
        const revokedLink = links.findIndex((id) => this.revoked.has(toHex(id)))
        return `${toHex(command.digest)} ${revokedLink}`
      }),
    })
  }
}

export interface VisibleState {
  readonly statements: number
  readonly hosted: readonly string[]
  readonly keys: readonly string[]
  readonly delegations: readonly string[]
}

export const describeState = ({ statements, hosted, keys, delegations }: VisibleState): string =>
  [[`${statements} statements`], hosted, keys, delegations]
    .map((lines) => lines.toSorted().join('\n'))
    .join('\n--\n')
