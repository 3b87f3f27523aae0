/**
 * Reads for compute on SQLite: one read transaction per batch, in one synchronous stretch, so that every request of
 * the batch sees what was committed before the batch arrived (DESIGN §2).
 */
import { type Statement } from 'better-sqlite3'
import { toLatin1 } from '../../../protocol/bytes.ts'
import { StorageFault } from '../../storage-fault.ts'
import {
  type DatabaseReader,
  type ReadFacts,
  type ReadRequest,
  type SpaceFacts,
  type StoredDelegation,
  type TicketFacts,
  type VersionFacts,
  type VersionListRequest,
  type VersionPage,
} from '../facts.ts'
import { type VersionRow } from '../tables/kv.ts'
import { RowChecksum } from '../row-checksum.ts'
import { AccountList } from './account-list.ts'
import { type Connection, openReader } from './connection.ts'
import { DelegationLookup } from './delegation-lookup.ts'
import { KeptReader } from './kept-reader.ts'
import { KeyList } from './key-list.ts'
import { KeyLookup } from './key-lookup.ts'
import { QuarantineLookup } from './quarantine-lookup.ts'
import { SnapshotAnswers } from './snapshot-answers.ts'
import { TicketLookup } from './ticket-lookup.ts'
import { versionFacts } from './version-facts.ts'

export class SqliteReader implements DatabaseReader {
  readonly #connection: Connection
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #space: Statement<[string], [spaceNo: number, liveBytes: number, historyBytes: number]>
  readonly #segments: Statement<[number], Buffer>
  readonly #keys: KeyLookup
  readonly #list: KeyList
  readonly #kept: KeptReader
  readonly #delegations: DelegationLookup
  readonly #accounts: AccountList
  readonly #tickets: TicketLookup
  readonly #quarantine: QuarantineLookup
  readonly #knownSpaces = new SnapshotAnswers<SpaceFacts | undefined>()
  readonly #knownDelegations = new SnapshotAnswers<StoredDelegation | undefined>()

  constructor(path: string) {
    const connection = openReader(path)
    const checksum = new RowChecksum()
    this.#connection = connection
    this.#begin = connection.prepare('BEGIN')
    this.#commit = connection.prepare('COMMIT')
    this.#space = connection
      .prepare<[string], [spaceNo: number, liveBytes: number, historyBytes: number]>(
        'SELECT space_no, live_bytes, history_bytes FROM space WHERE space_id = ? AND hosted_at IS NOT NULL',
      )
      .raw()
    this.#segments = connection
      .prepare<[number], Buffer>('SELECT segments FROM object WHERE object_no = ?')
      .pluck()
    this.#keys = new KeyLookup(connection, checksum)
    this.#list = new KeyList(connection, checksum)
    this.#kept = new KeptReader(connection, checksum, this.#keys)
    this.#quarantine = new QuarantineLookup(connection)
    this.#delegations = new DelegationLookup(connection, checksum, this.#quarantine)
    this.#accounts = new AccountList(connection, this.#delegations)
    this.#tickets = new TicketLookup(connection, checksum)
  }

  read(batch: readonly ReadRequest[]): ReadFacts[] {
    try {
      this.#begin.run()
      try {
        this.#quarantine.refresh()
        return batch.map((request) => this.#answer(request))
      } finally {
        this.#knownSpaces.clear()
        this.#knownDelegations.clear()
        this.#commit.run()
      }
    } catch (cause) {
      if (cause instanceof StorageFault) throw cause
      throw new StorageFault('STORAGE_UNAVAILABLE', 'the database cannot be read', { cause })
    }
  }

  close(): void {
    this.#connection.close()
  }

  #answer(request: ReadRequest): ReadFacts {
    const { delegations, statements, spaces, keys, list, keptVersion, versions, ticket } = request
    const { spaceDelegations, accountDelegations } = request
    return {
      delegations: delegations.map((digest) => this.#findDelegation(digest)),
      statements: statements.map((statementId) => this.#delegations.findByStatement(statementId)),
      spaces: spaces.map((space) => this.#findSpace(space)),
      keys: keys.map(({ space, key }) => {
        const found = this.#findSpace(space)
        return found && this.#version(found.spaceNo, key)
      }),
      list: list && this.#list.read(this.#findSpace(list.space)?.spaceNo, list),
      keptVersion: keptVersion && this.#keptVersion(keptVersion),
      versions: versions && this.#versions(versions),
      spaceDelegations: spaceDelegations && this.#delegations.listOfSpace(spaceDelegations),
      accountDelegations: accountDelegations && this.#accounts.read(accountDelegations),
      ticket: ticket && this.#ticket(ticket),
    }
  }

  #findDelegation(digest: Uint8Array): StoredDelegation | undefined {
    return this.#knownDelegations.get(toLatin1(digest), () => this.#delegations.findByCid(digest))
  }

  /** Undefined: nobody hosts it here. */
  #findSpace(space: string): SpaceFacts | undefined {
    return this.#knownSpaces.get(space, () => {
      const columns = this.#space.get(space)
      if (!columns) return undefined
      const [spaceNo, liveBytes, historyBytes] = columns
      return { spaceNo, liveBytes, historyBytes }
    })
  }

  #version(spaceNo: number, key: Uint8Array): VersionFacts | undefined {
    const row = this.#keys.find(spaceNo, key)
    return row && this.#factsOf(row)
  }

  #keptVersion(wish: NonNullable<ReadRequest['keptVersion']>): VersionFacts | undefined {
    const space = this.#findSpace(wish.space)
    const row = space && this.#kept.find(space.spaceNo, wish.key, wish)
    return row && this.#factsOf(row)
  }

  #versions(wish: VersionListRequest): VersionPage | undefined {
    const space = this.#findSpace(wish.space)
    return space && this.#kept.list(space.spaceNo, wish)
  }

  #factsOf(row: VersionRow): VersionFacts {
    this.#quarantine.assertSound('kv_version', row.versionNo)
    return versionFacts(row, (objectNo) => this.#segments.get(objectNo))
  }

  #ticket(ticketId: Uint8Array): TicketFacts | undefined {
    const found = this.#tickets.find(ticketId)
    if (!found) return undefined
    const { expiresAtS, digest, spaceNo, key } = found.row
    return { expiresAtS, digest, isRevoked: found.isRevoked, version: this.#version(spaceNo, key) }
  }
}
