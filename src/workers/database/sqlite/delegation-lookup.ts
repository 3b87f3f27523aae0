/**
 * Stored delegations by CID or statement. What a delegation says never changes, so it is decoded once and kept; where
 * its token lies and whether its chain is in force is read every time.
 */
import { type Statement } from 'better-sqlite3'
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { LruMap } from '../../../protocol/lru.ts'
import { StorageFault } from '../../storage-fault.ts'
import { delegationFactsOf } from '../delegation-facts.ts'
import { type ReadRequest, type StoredDelegation } from '../facts.ts'
import { type RowChecksum } from '../row-checksum.ts'
import { checksumOfDelegation } from '../tables/delegation.ts'
import { type Connection } from './connection.ts'
import {
  DELEGATION_COLUMNS,
  type DelegationColumns,
  delegationRowOf,
} from './delegation-columns.ts'
import { type QuarantineLookup } from './quarantine-lookup.ts'
import { RevocationLookup } from './revocation-lookup.ts'

/** Decoded delegations that one reader keeps: some megabytes at the usual size of a session, 8 MiB of rows at most. */
const CACHED_DELEGATIONS_MAX = 512
/** A row above this is decoded each time, so that few large ones cannot fill the memory. */
const CACHED_ROW_BYTES_MAX = 16 * 1024

interface DecodedDelegation {
  readonly facts: DelegationFacts
  readonly statementNo: number
  readonly encoding: 'ucan' | 'cacao'
  readonly accounts: readonly string[]
}

type SpaceDelegations = NonNullable<ReadRequest['spaceDelegations']>

export class DelegationLookup {
  readonly #checksum: RowChecksum
  readonly #noOfCid: Statement<[Uint8Array], number>
  readonly #noOfStatement: Statement<[Uint8Array], number>
  readonly #row: Statement<[number], DelegationColumns>
  readonly #token: Statement<[number], [packNo: number, offset: number, tokenLength: number]>
  readonly #nosOfSpace: Statement<[string, number, number], number>
  readonly #revocations: RevocationLookup
  readonly #quarantine: QuarantineLookup
  readonly #decoded = new LruMap<number, DecodedDelegation>(CACHED_DELEGATIONS_MAX)

  constructor(connection: Connection, checksum: RowChecksum, quarantine: QuarantineLookup) {
    this.#checksum = checksum
    this.#quarantine = quarantine
    this.#noOfCid = connection
      .prepare<[Uint8Array], number>('SELECT delegation_no FROM delegation_cid WHERE digest = ?')
      .pluck()
    this.#noOfStatement = connection
      .prepare<[Uint8Array], number>('SELECT delegation_no FROM delegation WHERE statement_id = ?')
      .pluck()
    this.#row = connection
      .prepare<[number], DelegationColumns>(
        `SELECT ${DELEGATION_COLUMNS} FROM delegation WHERE delegation_no = ?`,
      )
      .raw()
    this.#token = connection
      .prepare<[number], [packNo: number, offset: number, tokenLength: number]>(
        'SELECT pack_no, pack_offset, token_length FROM statement WHERE statement_no = ?',
      )
      .raw()
    this.#nosOfSpace = connection
      .prepare<[string, number, number], number>(
        `SELECT d.delegation_no FROM space s JOIN delegation_space d ON d.space_no = s.space_no
         WHERE s.space_id = ? AND d.delegation_no > ? ORDER BY d.delegation_no LIMIT ?`,
      )
      .pluck()
    this.#revocations = new RevocationLookup(connection, checksum)
  }

  findByCid(digest: Uint8Array): StoredDelegation | undefined {
    const delegationNo = this.#noOfCid.get(digest)
    return delegationNo === undefined ? undefined : this.find(delegationNo)
  }

  findByStatement(statementId: Uint8Array): StoredDelegation | undefined {
    const delegationNo = this.#noOfStatement.get(statementId)
    return delegationNo === undefined ? undefined : this.find(delegationNo)
  }

  /** Every delegation that names the space, hosted or not, in row order. */
  listOfSpace({ space, afterNo, limit }: SpaceDelegations): StoredDelegation[] {
    return this.#nosOfSpace
      .all(space, afterNo, limit)
      .map((delegationNo) => this.find(delegationNo))
  }

  /** @throws {StorageFault} VALUE_CORRUPT: it, or what it needs, is not there, fails its checksum or is in quarantine */
  find(delegationNo: number): StoredDelegation {
    this.#quarantine.assertSound('delegation', delegationNo)
    const { facts, statementNo, encoding, accounts } = this.#decode(delegationNo)
    const token = this.#token.get(statementNo)
    if (!token)
      throw new StorageFault('VALUE_CORRUPT', `statement ${statementNo} is missing`, {
        damaged: { kind: 'statement', rowId: statementNo },
      })
    const [packNo, offset, lengthBytes] = token
    return {
      facts,
      ...this.#standing(facts),
      accounts,
      token: { packNo, offset, lengthBytes },
      encoding,
    }
  }

  #standing({ closure }: DelegationFacts): Pick<StoredDelegation, 'revokedLink' | 'revocation'> {
    for (const [revokedLink, link] of closure.entries()) {
      const revocation = this.#revocations.find(link)
      if (revocation) return { revokedLink, revocation }
    }
    return { revokedLink: -1, revocation: undefined }
  }

  /** @throws {StorageFault} VALUE_CORRUPT */
  #decode(delegationNo: number): DecodedDelegation {
    const known = this.#decoded.get(delegationNo)
    if (known) return known
    const columns = this.#row.get(delegationNo)
    if (!columns) throw damagedDelegation(delegationNo, 'is missing')
    const { row, crc } = delegationRowOf(columns)
    if (checksumOfDelegation(this.#checksum, row) !== crc)
      throw damagedDelegation(delegationNo, 'fails its checksum')
    const decoded = {
      facts: delegationFactsOf(row),
      statementNo: row.statementNo,
      encoding: row.encoding,
      // The row's checksum has told that the text is what was written.
      accounts: JSON.parse(row.accounts),
    }
    if (row.capabilities.length + row.closure.length <= CACHED_ROW_BYTES_MAX)
      this.#decoded.set(delegationNo, decoded)
    return decoded
  }
}

const damagedDelegation = (delegationNo: number, what: string): StorageFault =>
  new StorageFault('VALUE_CORRUPT', `delegation ${delegationNo} ${what}`, {
    damaged: { kind: 'delegation', rowId: delegationNo },
  })
