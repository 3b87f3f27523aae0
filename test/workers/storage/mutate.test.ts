/** What the actor answers to invocations that put and delete, one by one and several in one group. */
import { describe, expect, it } from 'vitest'
import { toHex } from '../../../src/protocol/bytes.ts'
import { formatRawCid } from '../../../src/protocol/cid.ts'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
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
import { NOW_S, openStorage, type StorageUnderTest } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const digestOf = (value: string): Uint8Array => blake3(Buffer.from(value))
const etagOf = (value: string): string => `"blake3-${toHex(digestOf(value))}"`
const matches = (value: string) => ({ kind: 'matches', digest: digestOf(value) }) as const

/** Runs `test` with a hosted space; `mode` says whether commands share a group. */
async function withStorage(test: (storage: StorageUnderTest) => Promise<void>): Promise<void> {
  const storage = await openStorage(directory())
  try {
    await storage.send(hosting())
    await test(storage)
    expect(storage.deaths).toEqual([])
  } finally {
    await storage.close()
  }
}

type Story = readonly [command: ReturnType<typeof put>, told: string][]

/** Stories that must be told alike whether their commands come one by one or all in one group. */
const STORIES: Record<string, () => Story> = {
  'a put answers the ETag of its value': () => [
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [put('a', 'two'), `200 ${etagOf('two')}`],
    [put('empty', ''), `200 ${etagOf('')}`],
  ],
  'a delete answers the ETag of what was live': () => [
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [put('a', 'two'), `200 ${etagOf('two')}`],
    [del('a'), `200 ${etagOf('two')}`],
    [del('a'), '200'],
    [del('a'), '200'],
  ],
  'a key that was never written is named': () => [[del('nev/er'), 'NO_SUCH_KEY nev/er']],
  'a deleted key may be written again': () => [
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [del('a'), `200 ${etagOf('one')}`],
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [del('a'), `200 ${etagOf('one')}`],
  ],
  'If-None-Match: * creates once': () => [
    [put('a', 'one', { precondition: { kind: 'absent' } }), `200 ${etagOf('one')}`],
    [put('a', 'two', { precondition: { kind: 'absent' } }), 'PRECONDITION_FAILED'],
    [del('a'), `200 ${etagOf('one')}`],
    [put('a', 'three', { precondition: { kind: 'absent' } }), `200 ${etagOf('three')}`],
  ],
  'If-Match wants the live value': () => [
    [put('a', 'one', { precondition: matches('one') }), 'PRECONDITION_FAILED'],
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [put('a', 'two', { precondition: matches('one') }), `200 ${etagOf('two')}`],
    [put('a', 'three', { precondition: matches('one') }), 'PRECONDITION_FAILED'],
    [del('a', { precondition: matches('one') }), 'PRECONDITION_FAILED'],
    [del('a', { precondition: matches('two') }), `200 ${etagOf('two')}`],
    [del('a', { precondition: matches('two') }), 'PRECONDITION_FAILED'],
    [put('a', 'four', { precondition: matches('two') }), 'PRECONDITION_FAILED'],
  ],
  'a repeated invocation is refused before its condition is looked at': () => {
    const create = put('a', 'one', { precondition: { kind: 'absent' } })
    return [
      [create, `200 ${etagOf('one')}`],
      [again(create), 'DUPLICATE_INVOCATION'],
      [again({ ...create, digest: digestOf('another spelling') }), 'DUPLICATE_INVOCATION'],
    ]
  },
  'a refused invocation is not used up': () => {
    const late = put('a', 'two', { precondition: matches('one') })
    return [
      [late, 'PRECONDITION_FAILED'],
      [put('a', 'one'), `200 ${etagOf('one')}`],
      [again(late), `200 ${etagOf('two')}`],
      [again(late), 'DUPLICATE_INVOCATION'],
    ]
  },
  'several operations are all done, or none': () => [
    [put('a', 'one'), `200 ${etagOf('one')}`],
    [mutation([deleteOf('a'), deleteOf('never')]), 'NO_SUCH_KEY never'],
    [mutation([deleteOf('a'), putOf('b', 'x')]), '200'],
    [mutation([deleteOf('a'), deleteOf('b')]), '200'],
    [put('b', 'y', { precondition: { kind: 'absent' } }), `200 ${etagOf('y')}`],
  ],
  'operations of one invocation see each other': () => [
    [mutation([putOf('k', 'x'), deleteOf('k')]), '200'],
    [del('k'), '200'],
    [mutation([deleteOf('k'), putOf('k', 'z')]), '200'],
    [del('k'), `200 ${etagOf('z')}`],
  ],
  'each space that is named must be hosted': () => [
    [put('a', 'one', { spaces: [spaceNamed('absent')] }), 'SPACE_NOT_FOUND'],
    [put('a', 'one', { spaces: [SPACE, spaceNamed('absent')] }), 'SPACE_NOT_FOUND'],
  ],
}

describe('mutations', () => {
  it.each(Object.entries(STORIES))('%s, one group each', async (_, tell) => {
    await withStorage(async (storage) => {
      for (const [command, told] of tell()) {
        const [reply] = await storage.send(command)
        expect(toldBy(reply)).toBe(told)
      }
    })
  })

  it.each(Object.entries(STORIES))('%s, in one group', async (_, tell) => {
    await withStorage(async (storage) => {
      const story = tell()
      const { groups } = storage.storage.actor.counters
      const replies = await storage.send(...story.map(([command]) => command))
      expect(toldByAll(replies)).toEqual(story.map(([, told]) => told))
      expect(storage.storage.actor.counters.groups - groups).toBeLessThanOrEqual(1)
    })
  })

  it('twenty identical invocations at once take effect once (INV-9)', async () => {
    await withStorage(async (storage) => {
      const command = put('a', 'one')
      const replies = await storage.send(
        command,
        ...Array.from({ length: 19 }, () => again(command)),
      )
      expect(toldByAll(replies).filter((told) => told === 'DUPLICATE_INVOCATION')).toHaveLength(19)
      expect(toldBy(replies[0])).toBe(`200 ${etagOf('one')}`)
    })
  })

  it('a group of refusals writes nothing', async () => {
    await withStorage(async (storage) => {
      const before = storage.storage.actor.counters
      await storage.send(del('x'), del('y'), put('z', '1', { precondition: matches('0') }))
      expect(storage.storage.actor.counters).toEqual(before)
    })
  })
})

/** A delegation, one below it, and what an invocation by the lower one relies on. */
const chain = () => {
  const root = delegation()
  const child = delegation({ relies: [relianceOn(root)] })
  return { root, child, reliance: relianceOn(child, [relianceOn(root)]) }
}

describe('the chain that an invocation relies on', () => {
  it('a revoked leaf and a revoked ancestor are told apart, also within the group', async () => {
    await withStorage(async (storage) => {
      const { root, child, reliance } = chain()
      const cids = { root: formatRawCid(root.digest), child: formatRawCid(child.digest) }
      const [, , first, , second, third, , fourth] = await storage.send(
        root,
        child,
        put('a', '1', { relies: [reliance] }),
        revocation(root),
        put('a', '2', { relies: [reliance] }),
        put('a', '3', { relies: [relianceOn(root)] }),
        revocation(child),
        put('a', '4', { relies: [reliance] }),
      )
      expect(toldBy(first)).toBe(`200 ${etagOf('1')}`)
      expect(toldBy(second)).toBe(`ANCESTOR_REVOKED ancestor=${cids.root} invoked=${cids.child}`)
      expect(toldBy(third)).toBe(`DELEGATION_REVOKED ${cids.root}`)
      expect(toldBy(fourth)).toBe(`DELEGATION_REVOKED ${cids.child}`)
      expect(toldByAll(await storage.send(put('a', '5', { relies: [reliance] })))).toEqual([
        `DELEGATION_REVOKED ${cids.child}`,
      ])
    })
  })

  it.each([
    ['expires now', { effectiveExpiresAtS: NOW_S }, false],
    ['expires a moment later', { effectiveExpiresAtS: NOW_S + 0.001 }, true],
    ['begins now', { effectiveNotBeforeS: NOW_S }, true],
    ['begins a moment later', { effectiveNotBeforeS: NOW_S + 0.001 }, false],
    ['has no window', { effectiveExpiresAtS: undefined, effectiveNotBeforeS: undefined }, true],
  ])('one that %s', async (_, window, isInForce) => {
    await withStorage(async (storage) => {
      const { reliance } = chain()
      const relies = [chain().reliance, { ...reliance, ...window }]
      const [reply] = await storage.send(put('a', 'x', { relies, action: 'r / a' }))
      expect(toldBy(reply)).toBe(isInForce ? `200 ${etagOf('x')}` : 'UNAUTHORIZED_ACTION r / a')
    })
  })

  it('authority is told before hosting, replay and condition', async () => {
    await withStorage(async (storage) => {
      const { root, reliance } = chain()
      const used = put('a', 'x')
      await storage.send(root, used, revocation(root))
      const [reply] = await storage.send({
        ...again(used),
        relies: [reliance],
        spaces: [spaceNamed('absent')],
        precondition: matches('other'),
      })
      expect(toldBy(reply)).toMatch(/^ANCESTOR_REVOKED/)
    })
  })
})

describe('replay rows (INV-9)', () => {
  it('are purged once expired, and what expired before the bound is refused whatever the clock says', async () => {
    let nowS = NOW_S
    const storage = await openStorage(directory(), { nowS: () => nowS })
    await storage.send(hosting())
    const old = put('a', 'one', { expiresAtS: NOW_S + 10.5 })
    const young = put('b', 'one', { expiresAtS: NOW_S + 300 })
    await storage.send(old, young)
    nowS = NOW_S + 100
    await storage.send(put('c', 'one', { expiresAtS: NOW_S + 300 }))
    await storage.close()

    nowS = NOW_S
    const reopened = await openStorage(directory(), { nowS: () => nowS })
    const [first, second, third] = await reopened.send(
      again(old),
      again(young),
      put('d', 'x', { expiresAtS: NOW_S + 10.5 }),
    )
    expect(toldBy(first)).toBe('INVOCATION_TIME')
    expect(toldBy(second)).toBe('DUPLICATE_INVOCATION')
    expect(toldBy(third)).toBe('INVOCATION_TIME')
    await reopened.close()
  })

  it('a clock that jumped years ahead does not refuse every later invocation', async () => {
    let nowS = NOW_S
    const storage = await openStorage(directory(), { nowS: () => nowS })
    await storage.send(hosting(), put('a', 'one', { expiresAtS: NOW_S + 60 }))
    nowS = NOW_S + 10 * 365 * 86_400
    await storage.send(put('b', 'two', { expiresAtS: nowS + 60 }))
    nowS = NOW_S + 120
    const [reply] = await storage.send(put('c', 'three', { expiresAtS: nowS + 60 }))
    expect(toldBy(reply)).toBe(`200 ${etagOf('three')}`)
    await storage.close()
  })
})
