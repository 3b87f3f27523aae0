/** Load on SQLite: one prepared statement per kind of question, about a microsecond each. */
import { type Statement } from 'better-sqlite3'
import { StorageFault } from '../../storage-fault.ts'
import { RowChecksum } from '../row-checksum.ts'
import { type ReplayRow, type SpaceRow } from '../rows.ts'
import {
  type GroupFacts,
  type GroupQuestions,
  type KeptFacts,
  type KeptQuestion,
  type KeyVersion,
} from '../transactor.ts'
import { type Connection } from './connection.ts'
import { KeptLoader } from './kept-loader.ts'
import { KeyLookup } from './key-lookup.ts'
import { prepareMetaRead, REPLAY_BOUND } from './meta.ts'
import { RevocationLookup } from './revocation-lookup.ts'

type SpaceColumns = [
  spaceNo: number,
  owner: string,
  hostedAt: number | null,
  nextSeq: number,
  heads: Buffer,
  lastEpochNo: number | null,
  lastEventNo: number | null,
  liveBytes: number,
  historyBytes: number,
]

const NONE_KEPT: KeptFacts = { lastPosition: -1, oldest: [] }

export class GroupLoader {
  readonly #space: Statement<[string], SpaceColumns>
  readonly #replay: Statement<[number, Uint8Array], 1>
  readonly #delegation: Statement<[Uint8Array], number>
  readonly #replayBound: Statement<[string], Buffer>
  readonly #tickets: Statement<[number], number>
  readonly #keys: KeyLookup
  readonly #kept: KeptLoader
  readonly #revocations: RevocationLookup

  constructor(connection: Connection) {
    const checksum = new RowChecksum()
    this.#space = connection
      .prepare<[string], SpaceColumns>(
        `SELECT space_no, owner, hosted_at, next_seq, heads, last_epoch_no, last_event_no, live_bytes, history_bytes
         FROM space WHERE space_id = ?`,
      )
      .raw()
    this.#replay = connection
      .prepare<[number, Uint8Array], 1>(
        'SELECT 1 FROM replay WHERE expires_at = ? AND statement_id = ?',
      )
      .pluck()
    this.#delegation = connection
      .prepare<[Uint8Array], number>('SELECT delegation_no FROM delegation WHERE statement_id = ?')
      .pluck()
    this.#replayBound = prepareMetaRead(connection)
    this.#tickets = connection
      .prepare<[number], number>('SELECT tickets FROM signed_kv_ticket_count WHERE space_no = ?')
      .pluck()
    this.#keys = new KeyLookup(connection, checksum)
    this.#kept = new KeptLoader(connection, checksum)
    this.#revocations = new RevocationLookup(connection, checksum)
  }

  /** Inside the group's transaction. @throws {StorageFault} VALUE_CORRUPT for a row that fails its checksum */
  load(questions: GroupQuestions): GroupFacts {
    const spaces = questions.spaces.map((space) => this.#loadSpace(space))
    return {
      spaces,
      keys: questions.keys.map(({ spaceIndex, key }) => this.#loadKey(spaces[spaceIndex], key)),
      replays: questions.replays.map((replay) => this.#hasReplay(replay)),
      delegations: questions.delegations.map((statementId) => this.#delegation.get(statementId)),
      links: questions.links.map((link) => this.#revocations.isRevoked(link)),
      tickets: questions.tickets?.map((index) => this.#countTickets(spaces[index])),
      replayBoundS: this.#replayBound.get(REPLAY_BOUND)?.readDoubleLE() ?? 0,
      kept: questions.kept && this.#loadKept(questions, spaces, questions.kept),
    }
  }

  #loadSpace(spaceId: string): SpaceRow | undefined {
    const columns = this.#space.get(spaceId)
    if (!columns) return undefined
    const [spaceNo, owner, hostedAtS, nextSeq, heads, lastEpochNo, lastEventNo, live, history] =
      columns
    if (heads.length % 32 !== 0)
      throw new StorageFault('INTERNAL', `heads of space ${spaceNo} are torn`)
    return {
      spaceNo,
      spaceId,
      owner,
      hostedAtS,
      nextSeq,
      heads,
      lastEpochNo,
      lastEventNo,
      liveBytes: live,
      historyBytes: history,
    }
  }

  #countTickets(space: SpaceRow | undefined): number {
    return (space && this.#tickets.get(space.spaceNo)) ?? 0
  }

  #loadKey(space: SpaceRow | undefined, key: Uint8Array): KeyVersion | undefined {
    return space && this.#keys.find(space.spaceNo, key)
  }

  #loadKept(
    { keys }: GroupQuestions,
    spaces: readonly (SpaceRow | undefined)[],
    asked: readonly KeptQuestion[],
  ): KeptFacts[] {
    return keys.map(({ spaceIndex, key }, index) => {
      const space = spaces[spaceIndex]
      const question = asked[index]
      return space && question ? this.#kept.load(space.spaceNo, key, question) : NONE_KEPT
    })
  }

  #hasReplay({ expiresAtS, statementId }: ReplayRow): boolean {
    return this.#replay.get(expiresAtS, statementId) !== undefined
  }
}
