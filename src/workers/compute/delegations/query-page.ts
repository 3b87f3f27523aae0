/**
 * One page of an account's delegations. They lie in the order in which they are listed, so a page costs what it shows
 * and what its filter passes over, however many there are.
 */
import { type Answer } from '../../../protocol/answer.ts'
import { formatBase64url } from '../../../protocol/base64url.ts'
import { utf8 } from '../../../protocol/bytes.ts'
import { formatRawCid } from '../../../protocol/cid.ts'
import { type DelegationFacts } from '../../../protocol/authority.ts'
import { QUERY_SCHEMA_VERSION } from '../../../protocol/messages/delegation-query.ts'
import { type AccountDelegation } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { readOnce } from '../plan.ts'
import { namesSpace, type QueryFilter } from './query-filter.ts'
import { formatQueryItem } from './query-item.ts'
import { stateOf } from './state.ts'

/** Rows of one snapshot while a page is collected. */
const ROWS_PER_READ = 128
/** Rows that one query looks at; its page then ends early, with a cursor. */
const ROWS_PER_QUERY_MAX = 1024
/** Text of one page, which is held in memory; a page that reaches it ends early, with a cursor. */
const PAGE_CHARS_MAX: number = 1024 * 1024

type Listed = Pick<DelegationFacts, 'issuedAtS' | 'digest'>

/** Rule: QUERY-4, QUERY-6. */
export async function answerPage(
  { database, nowS }: Pick<ComputeContext, 'database' | 'nowS'>,
  account: string,
  filter: QueryFilter,
  start: Listed | undefined,
): Promise<Answer> {
  const page = new Page(filter, nowS())
  let after = start
  for (let rows = 0; rows < ROWS_PER_QUERY_MAX; rows += ROWS_PER_READ) {
    const { accountDelegations = [] } = await readOnce(database, {
      accountDelegations: { account, direction: filter.direction, after, limit: ROWS_PER_READ },
    })
    for (const delegation of accountDelegations) {
      if (!page.take(delegation)) return page.finish(page.last)
      after = delegation.stored.facts
    }
    if (accountDelegations.length < ROWS_PER_READ) return page.finish(undefined)
  }
  return page.finish(after)
}

/** Items as they are found, and where the next page starts. */
class Page {
  readonly #filter: QueryFilter
  readonly #nowS: number
  readonly #items: string[] = []
  #chars = 0
  /** The last one that it shows. */
  last: Listed | undefined

  constructor(filter: QueryFilter, nowS: number) {
    this.#filter = filter
    this.#nowS = nowS
  }

  /** False: the delegation is wanted, and belongs to the next page. */
  take(delegation: AccountDelegation): boolean {
    const { facts } = delegation.stored
    const { status, space, limit } = this.#filter
    const state = stateOf(delegation.stored, this.#nowS)
    if ((status !== undefined && status !== state) || !namesSpace(facts, space)) return true
    if (this.#items.length >= limit || this.#chars >= PAGE_CHARS_MAX) return false
    const item = formatQueryItem(delegation, state)
    this.#items.push(item)
    this.#chars += item.length
    this.last = facts
    return true
  }

  /** The next page starts after `last`; undefined: there is none. */
  finish(last: Listed | undefined): Answer {
    const cursor = last && formatBase64url(utf8(formatRawCid(last.digest)), { padding: 'none' })
    const end = cursor === undefined ? '' : `,"nextCursor":"${cursor}"`
    return {
      status: 200,
      headers: [['content-type', 'application/json']],
      body: Buffer.from(
        `{"schemaVersion":${QUERY_SCHEMA_VERSION},"items":[${this.#items.join(',')}]${end}}`,
      ),
    }
  }
}
