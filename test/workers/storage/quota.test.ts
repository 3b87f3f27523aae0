/** What a space may hold and what its history may grow to: decided by the actor. Rules: QUOTA-1 to QUOTA-4. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NO_SPACE_LIMITS } from '../../../src/workers/space-limits.ts'
import {
  type Operation,
  type SpaceLimits,
  type StorageCommand,
} from '../../../src/workers/storage/request.ts'
import {
  again,
  del,
  delegation,
  deleteOf,
  hosting,
  mutation,
  put,
  putOf,
  relianceOn,
  revocation,
  SPACE,
  spaceNamed,
} from '../../_util/storage-commands.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import { openStorage, type StorageUnderTest } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

async function withLimits(
  limits: Partial<SpaceLimits>,
  test: (storage: StorageUnderTest) => Promise<void>,
): Promise<void> {
  const spaceLimits = { ...NO_SPACE_LIMITS, ...limits }
  const path = join(directory(), randomUUID())
  const storage = await openStorage(path, {}, { spaceLimits })
  try {
    await storage.send(hosting())
    await test(storage)
    expect(storage.deaths).toEqual([])
  } finally {
    await storage.close()
  }
  recount(path)
}

interface Counted {
  readonly spaceId: string
  readonly liveBytes: number
  readonly historyBytes: number
}

/** What the rows of the spaces say, after they were compared with what the spaces have. */
function recount(path: string): Counted[] {
  const database = new Database(join(path, 'caps.db'), { readonly: true })
  try {
    const counted = database
      .prepare<[], Counted>(
        `SELECT space_id spaceId, live_bytes liveBytes, history_bytes historyBytes FROM space ORDER BY 1`,
      )
      .all()
    const found = database
      .prepare<[], Counted>(
        `SELECT s.space_id spaceId,
           (SELECT coalesce(sum(v.value_bytes), 0) FROM kv_current c JOIN kv_version v USING (version_no)
            WHERE c.space_no = s.space_no AND c.is_deleted = 0) liveBytes,
           (SELECT coalesce(sum(t.pack_length), 0) FROM event e JOIN statement t USING (statement_no)
            WHERE e.space_no = s.space_no) +
           (SELECT coalesce(sum(length(block)), 0) FROM epoch p WHERE p.space_no = s.space_no) historyBytes
         FROM space s ORDER BY 1`,
      )
      .all()
    expect(counted).toEqual(found)
    return counted
  } finally {
    database.close()
  }
}

const use = (used: number, limit: number): string => `Used: ${used} bytes, Limit: ${limit} bytes`
const full = (used: number, limit: number): string => `QUOTA_EXCEEDED ${use(used, limit)}`
const over = (used: number, limit: number): string => `QUOTA_REMAINDER ${use(used, limit)}`

/** The status, or the refusal. */
const gist = (told: string): string => told.replace(/^200 .*/, '200')

type Story = readonly [command: StorageCommand, told: string][]

interface Scene {
  readonly limits: Partial<SpaceLimits>
  readonly story: () => Story
}

/** Scenes that must play alike whether their commands come one by one or all in one group. */
const SCENES: Record<string, Scene> = {
  'may fill it to the last byte, and no further (QUOTA-1, QUOTA-2)': {
    limits: { liveBytes: 10 },
    story: () => [
      [put('a', '1234'), '200'],
      [put('b', '1234567'), over(4, 10)],
      [put('b', '123456'), '200'],
      [put('c', '1'), full(10, 10)],
      [put('c', ''), '200'],
    ],
  },

  'are counted in bytes of values, and in each space by itself': {
    limits: { liveBytes: 10 },
    story: () => {
      const other = spaceNamed('other')
      return [
        [hosting(other), '200'],
        [put('a', '1234567890'), '200'],
        [put('a', '1234567890', { spaces: [other] }), '200'],
        [put('b', '1', { spaces: [other] }), full(10, 10)],
      ]
    },
  },

  'are credited when they are replaced or deleted (QUOTA-3)': {
    limits: { liveBytes: 10 },
    story: () => [
      [put('a', '1234567890'), '200'],
      [put('a', '0987654321'), '200'],
      [put('a', '12345678901'), full(10, 10)],
      [put('a', '12345'), '200'],
      [put('b', '12345'), '200'],
      [del('a'), '200'],
      [del('a'), '200'],
      [put('c', '123456'), over(5, 10)],
      [put('c', '12345'), '200'],
      [del('b'), '200'],
      [del('c'), '200'],
      [put('d', '1234567890'), '200'],
    ],
  },

  'are credited within one invocation, and an invocation is taken whole or not at all': {
    limits: { liveBytes: 10 },
    story: () => [
      [put('a', '1234567890'), '200'],
      [mutation([putOf('b', '1234567890'), deleteOf('a')]), '200'],
      [mutation([putOf('c', '1'), putOf('d', '')]), full(10, 10)],
      [del('c'), 'NO_SUCH_KEY c'],
      // The last of two operations on a key counts, in both orders.
      [mutation([putOf('b', '12345678901'), putOf('b', '1')]), '200'],
      [mutation([putOf('e', 'x'.repeat(100)), deleteOf('e')]), '200'],
      [mutation([deleteOf('b'), putOf('b', '12345678901')]), over(1, 10)],
    ],
  },

  'of a public space have a limit of their own': {
    limits: { liveBytes: 100, publicLiveBytes: 5 },
    story: () => {
      const spaces = [spaceNamed('public')]
      return [
        [hosting(spaces[0]), '200'],
        [put('a', '123456', { spaces }), over(0, 5)],
        [put('a', '12345', { spaces }), '200'],
        [put('a', '123456'), '200'],
      ]
    },
  },
}

describe('the values of a space', () => {
  const scenes = Object.entries(SCENES)

  it.each(scenes)('%s, one by one', (_, { limits, story }) =>
    withLimits(limits, async (storage) => {
      for (const [command, told] of story()) {
        const [reply] = await storage.send(command)
        expect(gist(toldBy(reply))).toBe(told)
      }
    }),
  )

  it.each(scenes)('%s, in one group', (_, { limits, story }) =>
    withLimits(limits, async (storage) => {
      const steps = story()
      const replies = await storage.send(...steps.map(([command]) => command))
      expect(toldByAll(replies).map(gist)).toEqual(steps.map(([, told]) => told))
    }),
  )

  it('of one space may not use what another one has left', () =>
    withLimits({ liveBytes: 10 }, async (storage) => {
      const other = spaceNamed('other')
      await storage.send(hosting(other), put('a', '12345678'))
      const both: Operation[] = [
        { ...putOf('b', '1'), spaceIndex: 1 },
        { ...putOf('b', '123'), spaceIndex: 0 },
      ]
      const [reply] = await storage.send(mutation(both, { spaces: [SPACE, other] }))
      expect(toldBy(reply)).toBe(over(8, 10))
    }))

  it('may stay where a limit was lowered, and shrink', async () => {
    const path = join(directory(), 'lowered')
    const first = await openStorage(path)
    await first.send(hosting(), put('a', 'x'.repeat(100)), put('b', 'y'.repeat(50)))
    await first.close()
    const spaceLimits = { ...NO_SPACE_LIMITS, liveBytes: 10 }
    const second = await openStorage(path, {}, { spaceLimits })
    const replies = await second.send(
      put('c', '1'),
      put('a', 'x'.repeat(101)),
      put('a', 'x'.repeat(99)),
      del('a'),
      put('c', '1'),
    )
    await second.close()
    expect(toldByAll(replies).map(gist)).toEqual([
      full(150, 10),
      full(150, 10),
      '200',
      '200',
      full(50, 10),
    ])
  })

  it('are refused only after authority, conditions and repetition', () =>
    withLimits({ liveBytes: 5 }, async (storage) => {
      const parent = delegation()
      const once = put('a', '12345')
      await storage.send(parent, revocation(parent), once)
      const replies = await storage.send(
        put('b', '1', { relies: [relianceOn(parent)] }),
        { ...put('b', '1'), expiresAtS: once.expiresAtS, statementId: once.statementId },
        put('a', '123456', { precondition: { kind: 'absent' } }),
        mutation([putOf('b', '1'), deleteOf('never')]),
        put('b', '1', { spaces: [spaceNamed('unknown')] }),
      )
      expect(replies.map((reply) => toldBy(reply).split(' ')[0])).toEqual([
        'DELEGATION_REVOKED',
        'DUPLICATE_INVOCATION',
        'PRECONDITION_FAILED',
        'NO_SUCH_KEY',
        'SPACE_NOT_FOUND',
      ])
    }))
})

/** More than hosting and some changes, less than twenty. */
const historyBytes = 6000

async function fill(storage: StorageUnderTest): Promise<void> {
  for (let count = 0; count < 20; count++) {
    const [reply] = await storage.send(put(`k${count}`, 'v'))
    if (toldBy(reply).startsWith('HISTORY_LIMIT')) return
  }
  throw new Error('history grows without a limit')
}

describe('the history of a space', () => {
  it('stops puts at its limit, and says which limit it is (QUOTA-4)', () =>
    withLimits({ historyBytes }, async (storage) => {
      await fill(storage)
      const [reply] = await storage.send(put('one', 'more'))
      expect(toldBy(reply)).toMatch(/^HISTORY_LIMIT Used: 6\d{3} bytes, Limit: 6000 bytes$/)
    }))

  it('still takes the deletion of what is live, and only that', () =>
    withLimits({ historyBytes }, async (storage) => {
      await fill(storage)
      const replies = await storage.send(
        del('k0'),
        del('k0'),
        mutation([deleteOf('k1'), deleteOf('k0')]),
        mutation([deleteOf('k2'), putOf('k3', '')]),
      )
      expect(toldByAll(replies).map((told) => gist(told).split(' ')[0])).toEqual([
        '200',
        'HISTORY_LIMIT',
        '200',
        'HISTORY_LIMIT',
      ])
    }))

  it('still takes revocations, and delegations up to twice the limit', () =>
    withLimits({ historyBytes }, async (storage) => {
      await fill(storage)
      const session = delegation()
      const replies = await storage.send(session, revocation(session))
      expect(toldByAll(replies).map((told) => told.split(' ')[0])).toEqual(['200', '200'])
      let count = 0
      for (; count < 50; count++) {
        const [reply] = await storage.send(delegation())
        if (toldBy(reply).startsWith('HISTORY_LIMIT')) break
      }
      expect(count).toBeGreaterThan(2)
      expect(count).toBeLessThan(50)
      const late = await storage.send(
        revocation(session),
        again(session),
        delegation({ spaces: [spaceNamed('not-hosted')] }),
      )
      expect(late.map((reply) => toldBy(reply).slice(0, 3))).toEqual(['200', '200', '200'])
    }))
})

const sumOf = (held: Map<string, number>): number =>
  [...held.values()].reduce((sum, bytes) => sum + bytes, 0)

describe('the count of a space', () => {
  const KEYS = ['a', 'b', 'c'] as const
  const operation = fc.oneof(
    fc.record({
      kind: fc.constant('put' as const),
      key: fc.constantFrom(...KEYS),
      bytes: fc.nat(12),
    }),
    fc.record({
      kind: fc.constant('delete' as const),
      key: fc.constantFrom(...KEYS),
      bytes: fc.constant(0),
    }),
  )
  type Step = readonly { kind: 'put' | 'delete'; key: string; bytes: number }[]
  const groups = fc.array(
    fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 }),
    { minLength: 1, maxLength: 8 },
  )
  const LIMIT = 20

  /** Applies the step to the model if it may be; says what it is told. */
  function tell(held: Map<string, number>, written: Set<string>, step: Step): string {
    const after = new Map(held)
    const named = new Set(written)
    for (const { kind, key, bytes } of step) {
      if (kind === 'delete' && !named.has(key)) return 'NO_SUCH_KEY'
      named.add(key)
      after.set(key, bytes)
    }
    const [used, wanted] = [sumOf(held), sumOf(after)]
    if (wanted > used && wanted > LIMIT) return used >= LIMIT ? 'QUOTA_EXCEEDED' : 'QUOTA_REMAINDER'
    for (const [key, bytes] of after) held.set(key, bytes)
    for (const key of named) written.add(key)
    return '200'
  }

  it('is what its keys hold after any changes, and decides as the sum would', async () => {
    await fc.assert(
      fc.asyncProperty(groups, async (history) => {
        await withLimits({ liveBytes: LIMIT }, async (storage) => {
          const [held, written] = [new Map<string, number>(), new Set<string>()]
          for (const steps of history) {
            const expected = steps.map((step) => tell(held, written, step))
            const commands = steps.map((step) =>
              mutation(
                step.map(({ kind, key, bytes }) =>
                  kind === 'put' ? putOf(key, 'x'.repeat(bytes)) : deleteOf(key),
                ),
              ),
            )
            const replies = await storage.send(...commands)
            expect(replies.map((reply) => toldBy(reply).split(' ')[0])).toEqual(expected)
          }
        })
      }),
      { numRuns: 15 },
    )
  })
})
