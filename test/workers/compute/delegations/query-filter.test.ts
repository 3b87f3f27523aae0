/** What a query may ask for (QUERY-3), and cursors that are none (QUERY-6). */
import { describe, expect, it } from 'vitest'
import { parseResource } from '../../../../src/protocol/resource.ts'
import {
  namesSpace,
  parseQueryFilter,
  type QueryFilter,
} from '../../../../src/workers/compute/delegations/query-filter.ts'

const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const SPACE = `tinycloud:pkh:eip155:1:${ADDRESS}:default`
const CID = 'bafkr4ihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

const parse = (json: unknown): QueryFilter =>
  parseQueryFilter({ kind: 'whole', bytes: Buffer.from(JSON.stringify(json)) })
const cursor = (text: string): string => Buffer.from(text).toString('base64url')

describe('a filter (QUERY-3)', () => {
  it('is everything, fifty at a time, when it says nothing', () => {
    const everything = {
      direction: 'all',
      status: undefined,
      space: undefined,
      limit: 50,
      after: undefined,
    }
    expect(parse({})).toEqual(everything)
    const nothing = { direction: null, status: null, space: null, limit: null, cursor: null }
    expect(parse(nothing)).toEqual(everything)
  })

  it.each(['granted', 'received', 'all'])('takes the direction %s', (direction) => {
    expect(parse({ direction }).direction).toBe(direction)
  })

  it.each(['active', 'pending', 'expired', 'revoked', 'ancestor_revoked'])(
    'takes the status %s',
    (status) => {
      expect(parse({ status }).status).toBe(status)
    },
  )

  it('takes a space by its name or its id, in any case of its address', () => {
    expect(parse({ space: 'default' }).space).toBe('default')
    expect(parse({ space: SPACE.replace(ADDRESS, ADDRESS.toLowerCase()) }).space).toBe(SPACE)
  })

  it.each([1, 100, 50.0])('takes the limit %s', (limit) => {
    expect(parse({ limit }).limit).toBe(limit)
  })

  it('takes the cursor of any CID of a delegation', () => {
    expect(parse({ cursor: cursor(CID) }).after).toHaveLength(32)
  })

  it.each([
    ['limit must be between 1 and 100', [0, 101, -1, 1.5, 1e308, '10', true, [], {}], 'limit'],
    ['direction must be one of', ['', 'Granted', 'sideways', 1, [], {}, 'toString'], 'direction'],
    ['status must be one of', ['', 'lost', 'unavailable', 1, ['active']], 'status'],
    ['space must not be empty', [''], 'space'],
    ['space must be a text', [1, [], {}, false], 'space'],
    [
      'invalid delegation query cursor',
      [
        '',
        '***',
        5,
        cursor('no CID'),
        `${cursor(CID)}=`,
        cursor('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'),
        Buffer.from([0xff, 0xfe]).toString('base64url'),
        cursor('b'.repeat(100_000)),
      ],
      'cursor',
    ],
  ])('is refused: %s', (detail, values, member) => {
    for (const value of values)
      expect(() => parse({ [member]: value })).toThrow(
        expect.objectContaining({
          code: 'QUERY_INVALID',
          detail: expect.stringContaining(detail) as unknown,
        }),
      )
  })

  it('is refused with a member that no rule knows', () => {
    for (const name of ['extra', 'Limit', 'toString'])
      expect(() => parse({ [name]: 1 })).toThrow(
        expect.objectContaining({ code: 'QUERY_INVALID', detail: 'unknown member' }),
      )
  })
})

const named = (uri: string, space: string | undefined): boolean =>
  namesSpace(
    { capabilities: [{ resource: parseResource(uri), ability: 'a/b', caveats: {} }] },
    space,
  )

describe('the space of a filter', () => {
  it('is named by its whole id or its whole name', () => {
    expect(named(`${SPACE}/kv/a`, undefined)).toBe(true)
    expect(named(`${SPACE}/kv/a`, SPACE)).toBe(true)
    expect(named(`${SPACE}/kv/a`, 'default')).toBe(true)
    for (const other of ['defaul', 'default2', 'Default', 'kv', `${SPACE}/kv`, ADDRESS])
      expect([other, named(`${SPACE}/kv/a`, other)]).toEqual([other, false])
    expect(named('urn:default', 'default')).toBe(false)
  })
})
