/** Pages of more delegations than one query looks at, from a real database: nothing is lost, and work is bounded (QUERY-6). */
import { describe, expect, it } from 'vitest'
import { type Capability } from '../../../../src/protocol/authority.ts'
import { formatCapabilities } from '../../../../src/protocol/capabilities.ts'
import { parseResource } from '../../../../src/protocol/resource.ts'
import {
  type QueryFilter,
  parseQueryFilter,
} from '../../../../src/workers/compute/delegations/query-filter.ts'
import { answerPage } from '../../../../src/workers/compute/delegations/query-page.ts'
import { type DatabaseReader } from '../../../../src/workers/database/facts.ts'
import { membersOf, textsOf } from '../../../_util/narrow.ts'
import { delegation, OWNER_ADDRESS, revocation, SPACE } from '../../../_util/storage-commands.ts'
import { NOW_S, openStorage } from '../../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const ACCOUNT = `did:pkh:eip155:1:${OWNER_ADDRESS}`
const COMMANDS_PER_BATCH = 256

const directory = useTemporaryDirectory()

interface PageOfItems {
  readonly cids: readonly string[]
  readonly next: string | undefined
  readonly bodyBytes: number
}

/** The page that a client gets with this filter; `cursor` as it was told. */
async function pageOf(
  database: DatabaseReader,
  json: Readonly<Record<string, unknown>>,
): Promise<PageOfItems> {
  const filter: QueryFilter = parseQueryFilter({
    kind: 'whole',
    bytes: Buffer.from(JSON.stringify(json)),
  })
  const [facts] = await database.read([
    { delegations: filter.after ? [filter.after] : [], statements: [], spaces: [], keys: [] },
  ])
  const start = facts?.delegations[0]?.facts
  const { body } = await answerPage({ database, nowS: () => NOW_S }, ACCOUNT, filter, start)
  const page = membersOf(JSON.parse(Buffer.from(body).toString('utf8')))
  const items: unknown = page['items']
  if (!Array.isArray(items)) throw new Error('no items')
  return {
    cids: textsOf(items.map((item) => membersOf(item)['cid'])),
    next: 'nextCursor' in page ? textsOf([page['nextCursor']])[0] : undefined,
    bodyBytes: body.length,
  }
}

/** All pages, one after the other. */
async function pagesOf(
  database: DatabaseReader,
  json: Readonly<Record<string, unknown>>,
): Promise<PageOfItems[]> {
  const pages = [await pageOf(database, json)]
  for (let cursor = pages[0]?.next; cursor !== undefined; cursor = pages.at(-1)?.next)
    pages.push(await pageOf(database, { ...json, cursor }))
  return pages
}

describe('a page', () => {
  it('ends after so many rows, with a cursor, also when it found nothing', async () => {
    const under = await openStorage(directory())
    const delegations = Array.from({ length: 2100 }, (_, index) =>
      delegation({ accounts: [ACCOUNT], issuedAtS: 1_700_000_000 + (index % 700) }),
    )
    for (let start = 0; start < delegations.length; start += COMMANDS_PER_BATCH)
      await under.send(...delegations.slice(start, start + COMMANDS_PER_BATCH))
    const oldest = delegations.toSorted(
      (a, b) => (a.issuedAtS ?? 0) - (b.issuedAtS ?? 0) || Buffer.compare(b.digest, a.digest),
    )[0]
    if (!oldest) throw new Error('no delegations')
    await under.send(revocation(oldest))
    const readers = under.openReaders()
    try {
      const revoked = await pagesOf(readers.database, { status: 'revoked' })
      expect(revoked.map(({ cids }) => cids.length)).toEqual([0, 0, 1])
      const all = await pagesOf(readers.database, { limit: 100 })
      expect(all).toHaveLength(21)
      expect(new Set(all.flatMap(({ cids }) => cids)).size).toBe(2100)
    } finally {
      readers.close()
      await under.close()
    }
  })

  it('ends at so much text, with a cursor, and holds one item at least', async () => {
    const under = await openStorage(directory())
    const capabilities: Capability[] = Array.from({ length: 1000 }, (_, index) => ({
      resource: parseResource(`${SPACE}/kv/${String(index).padStart(400, 'x')}`),
      ability: 'tinycloud.kv/get',
      caveats: {},
    }))
    const large = { accounts: [ACCOUNT], capabilities: formatCapabilities(capabilities) }
    await under.send(...Array.from({ length: 7 }, () => delegation(large)))
    const readers = under.openReaders()
    try {
      const pages = await pagesOf(readers.database, { limit: 100 })
      expect(pages.length).toBeGreaterThan(2)
      expect(new Set(pages.flatMap(({ cids }) => cids)).size).toBe(7)
      expect(Math.max(...pages.map(({ bodyBytes }) => bodyBytes))).toBeLessThan(2_000_000)
      expect(Math.min(...pages.map(({ cids }) => cids.length))).toBeGreaterThan(0)
    } finally {
      readers.close()
      await under.close()
    }
  })
})
