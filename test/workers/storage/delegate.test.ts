/** Delegations, other spellings, revocations: what the actor answers, and what readers see afterwards. */
import { describe, expect, it } from 'vitest'
import { formatRawCid } from '../../../src/protocol/cid.ts'
import { type ReadFacts, type ReadRequest } from '../../../src/workers/database/facts.ts'
import { present } from '../../_util/narrow.ts'
import {
  again,
  alias,
  delegation,
  hosting,
  put,
  relianceOn,
  revocation,
  SPACE,
  spaceNamed,
} from '../../_util/storage-commands.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import { NOW_S, openStorage, type StorageUnderTest } from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

async function withStorage(test: (storage: StorageUnderTest) => Promise<void>): Promise<void> {
  const storage = await openStorage(directory())
  try {
    await test(storage)
    expect(storage.deaths).toEqual([])
  } finally {
    await storage.close()
  }
}

async function readFacts(
  storage: StorageUnderTest,
  wants: Partial<ReadRequest>,
): Promise<ReadFacts> {
  const readers = storage.openReaders()
  try {
    const request = { delegations: [], statements: [], spaces: [], keys: [], ...wants }
    const [facts] = await readers.database.read([request])
    if (!facts) throw new Error('no facts')
    return facts
  } finally {
    readers.close()
  }
}

const answerTo = (
  { digest }: { readonly digest: Uint8Array },
  activated: readonly string[],
  skipped: readonly string[],
): string => `200 ${JSON.stringify({ cid: formatRawCid(digest), activated, skipped })}`

describe('delegations', () => {
  it('name hosted spaces as activated and others as skipped, as it is after them', async () => {
    await withStorage(async (storage) => {
      const other = spaceNamed('other')
      const session = delegation({ spaces: [SPACE, other] })
      const host = hosting()
      const hostOther = delegation({ spaces: [SPACE, other], hosts: [other] })
      expect(
        toldByAll(await storage.send(session, host, again(session), hostOther, again(session))),
      ).toEqual([
        answerTo(session, [], [SPACE, other]),
        answerTo(host, [SPACE], []),
        answerTo(session, [SPACE], [other]),
        answerTo(hostOther, [SPACE, other], []),
        answerTo(session, [SPACE, other], []),
      ])
    })
  })

  it('are stored as they were proven', async () => {
    await withStorage(async (storage) => {
      const root = delegation({ isTerminal: true })
      const child = delegation({
        encoding: 'cacao',
        notBeforeS: 1.25,
        expiresAtS: undefined,
        effectiveNotBeforeS: 2.5,
        parents: [root.digest],
        relies: [relianceOn(root)],
      })
      await storage.send(root, child)
      const facts = await readFacts(storage, {
        delegations: [child.digest, root.digest, new Uint8Array(32)],
        statements: [child.statementId, new Uint8Array(32)],
      })
      const [stored, storedRoot, unknown] = facts.delegations
      expect(stored?.facts).toMatchObject({
        delegator: child.delegator,
        delegatee: child.delegatee,
        notBeforeS: 1.25,
        expiresAtS: undefined,
        issuedAtS: 1_700_000_000.5,
        effectiveNotBeforeS: 2.5,
        effectiveExpiresAtS: 2_000_000_000,
        isTerminal: false,
      })
      expect(stored?.encoding).toBe('cacao')
      expect(stored?.revokedLink).toBe(-1)
      expect(stored?.facts.parents.map((parent) => formatRawCid(parent))).toEqual([
        formatRawCid(root.digest),
      ])
      expect(stored?.facts.closure.map(({ digest }) => formatRawCid(digest))).toEqual([
        formatRawCid(child.digest),
        formatRawCid(root.digest),
      ])
      expect(stored?.facts.capabilities.map(({ ability }) => ability)).toEqual(['tinycloud.kv/put'])
      expect(storedRoot?.facts.isTerminal).toBe(true)
      expect(unknown).toBeUndefined()
      expect(facts.statements.map((found) => found?.facts.no)).toEqual([
        stored?.facts.no,
        undefined,
      ])
    })
  })

  it('eight posts of one at once are all answered, and it is stored once', async () => {
    await withStorage(async (storage) => {
      const session = delegation()
      const replies = await storage.send(
        session,
        ...Array.from({ length: 7 }, () => again(session)),
      )
      expect(new Set(toldByAll(replies))).toEqual(new Set([answerTo(session, [], [SPACE])]))
      const request = { space: SPACE, afterNo: 0, limit: 10 }
      const { spaceDelegations } = await readFacts(storage, { spaceDelegations: request })
      expect(spaceDelegations).toHaveLength(1)
    })
  })

  it('another spelling is answered with its own CID, and found by it', async () => {
    await withStorage(async (storage) => {
      const session = delegation()
      const [respelled, posted] = [alias(session), alias(session)]
      // The second one comes as a delegation: compute did not see the first one stored.
      const race = { ...again(session), digest: posted.digest }
      expect(toldByAll(await storage.send(session, respelled, again(respelled), race))).toEqual([
        answerTo(session, [], [SPACE]),
        answerTo(respelled, [], [SPACE]),
        answerTo(respelled, [], [SPACE]),
        answerTo(posted, [], [SPACE]),
      ])
      const { delegations } = await readFacts(storage, {
        delegations: [session.digest, respelled.digest, posted.digest],
      })
      expect(new Set(delegations.map((found) => found?.facts.no)).size).toBe(1)
      expect(formatRawCid(present(delegations[1]).facts.digest)).toBe(formatRawCid(session.digest))
    })
  })

  it('the same fork above two parents is in the closure once', async () => {
    await withStorage(async (storage) => {
      const root = delegation()
      const [left, right] = [
        delegation({ relies: [relianceOn(root)] }),
        delegation({ relies: [relianceOn(root)] }),
      ]
      const leaf = delegation({
        relies: [relianceOn(left, [relianceOn(root)]), relianceOn(right, [relianceOn(root)])],
      })
      await storage.send(root, left, right, leaf)
      const { delegations } = await readFacts(storage, { delegations: [leaf.digest] })
      expect(delegations[0]?.facts.closure).toHaveLength(4)
    })
  })

  it('a chain of sixty-four is stored, one of sixty-five is refused', async () => {
    await withStorage(async (storage) => {
      const links = Array.from({ length: 63 }, () => delegation())
      const reliance = {
        ...relianceOn(delegation()),
        closure: links.map(({ statementId, digest }) => ({ statementId, digest })),
      }
      const one = delegation()
      const longer = { ...reliance, closure: [...reliance.closure, one] }
      const replies = await storage.send(
        delegation({ relies: [reliance] }),
        delegation({ relies: [longer] }),
      )
      expect(toldBy(replies[0])).toMatch(/^200/)
      expect(toldBy(replies[1])).toBe('CHAIN_LIMIT')
    })
  })

  it('a parent outside its window is no reason to refuse a child', async () => {
    await withStorage(async (storage) => {
      const over = delegation({ effectiveExpiresAtS: NOW_S - 1 })
      const replies = await storage.send(over, delegation({ relies: [relianceOn(over)] }))
      expect(toldBy(replies[1])).toMatch(/^200/)
    })
  })

  it('a revoked parent, and a revoked ancestor, may not be passed on', async () => {
    await withStorage(async (storage) => {
      const root = delegation()
      const child = delegation({ relies: [relianceOn(root)] })
      const reliance = relianceOn(child, [relianceOn(root)])
      const replies = await storage.send(
        root,
        child,
        revocation(root),
        delegation({ relies: [relianceOn(root)] }),
        delegation({ relies: [reliance] }),
      )
      expect(toldByAll(replies.slice(3))).toEqual([
        `PARENT_REVOKED ${formatRawCid(root.digest)}`,
        `PARENT_ANCESTOR_REVOKED ancestor=${formatRawCid(root.digest)} parent=${formatRawCid(child.digest)}`,
      ])
      expect(toldBy((await storage.send(again(child)))[0])).toMatch(/^200/)
    })
  })

  it('delegations of a space are listed in pages, whether it is hosted or not', async () => {
    await withStorage(async (storage) => {
      const commands = Array.from({ length: 5 }, () => delegation())
      await storage.send(...commands, delegation({ spaces: [spaceNamed('other')] }))
      const pages: string[][] = []
      let afterNo = 0
      for (;;) {
        const request = { space: SPACE, afterNo, limit: 2 }
        const { spaceDelegations = [] } = await readFacts(storage, { spaceDelegations: request })
        if (spaceDelegations.length === 0) break
        pages.push(spaceDelegations.map(({ facts }) => formatRawCid(facts.digest)))
        afterNo = spaceDelegations.at(-1)?.facts.no ?? 0
      }
      expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
      expect(pages.flat()).toEqual(commands.map(({ digest }) => formatRawCid(digest)))
    })
  })
})

describe('revocations', () => {
  const REVOKED = '200 {"revoked":true,"cid":"bafkr4itarget"}'

  it('of a stored delegation, once or again, in one group or in two', async () => {
    await withStorage(async (storage) => {
      const session = delegation()
      const first = revocation(session)
      const replies = await storage.send(session, first, again(first), revocation(session))
      expect(toldByAll(replies.slice(1))).toEqual([REVOKED, REVOKED, REVOKED])
      expect(toldByAll(await storage.send(revocation(session)))).toEqual([REVOKED])
    })
  })

  it('of what is not stored is refused', async () => {
    await withStorage(async (storage) => {
      expect(toldByAll(await storage.send(revocation(delegation())))).toEqual([
        'REVOCATION_TARGET_NOT_FOUND',
      ])
    })
  })

  it('hits the leaf and everything below it, also for readers that have it cached', async () => {
    await withStorage(async (storage) => {
      const root = delegation()
      const child = delegation({ relies: [relianceOn(root)] })
      await storage.send(root, child)
      const readers = storage.openReaders()
      const links = async (): Promise<(number | undefined)[]> => {
        const request = {
          delegations: [root.digest, child.digest],
          statements: [],
          spaces: [],
          keys: [],
        }
        const [facts] = await readers.database.read([request])
        return facts?.delegations.map((found) => found?.revokedLink) ?? []
      }
      expect(await links()).toEqual([-1, -1])
      await storage.send(revocation(root))
      expect(await links()).toEqual([0, 1])
      await storage.send(revocation(child))
      expect(await links()).toEqual([0, 0])
      readers.close()
    })
  })

  it('hits a spelling that arrives later', async () => {
    await withStorage(async (storage) => {
      const session = delegation()
      const later = alias(session)
      await storage.send(session, revocation(session), later)
      const { delegations } = await readFacts(storage, { delegations: [later.digest] })
      expect(delegations[0]?.revokedLink).toBe(0)
    })
  })

  it.each([
    ['is revoked', {}, true],
    ['is over', { effectiveExpiresAtS: NOW_S }, false],
    ['has not begun', { effectiveNotBeforeS: NOW_S + 1 }, false],
  ])('by a control proof that %s are refused', async (_, window, isRevoked) => {
    await withStorage(async (storage) => {
      const session = delegation()
      const control = delegation(window)
      await storage.send(session, control)
      if (isRevoked) await storage.send(revocation(control))
      const replies = await storage.send(revocation(session, { relies: [relianceOn(control)] }))
      expect(toldByAll(replies)).toEqual(['UNAUTHORIZED_REVOKER'])
      expect(toldBy((await storage.send(revocation(session)))[0])).toBe(REVOKED)
    })
  })

  it('leave what was written before them', async () => {
    await withStorage(async (storage) => {
      const session = delegation()
      const relies = [relianceOn(session)]
      const replies = await storage.send(
        hosting(),
        session,
        put('a', '1', { relies }),
        revocation(session),
      )
      expect(toldBy(replies[2])).toMatch(/^200/)
      const { list } = await readFacts(storage, {
        list: { space: SPACE, prefix: Buffer.from(''), after: undefined, limit: 10 },
      })
      expect(list?.keys.map(String)).toEqual(['a'])
    })
  })
})
