/** Tickets of signed URLs in storage: who gets one, what is read of it, and how it goes (SIGNED-1, SIGNED-2, SIGNED-5). */
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { formatRawCid } from '../../../src/protocol/cid.ts'
import { blake3 } from '../../../src/protocol/crypto/blake3.ts'
import { type TicketFacts } from '../../../src/workers/database/facts.ts'
import { type SignCommand } from '../../../src/workers/storage/request.ts'
import {
  again,
  del,
  delegation,
  hosting,
  put,
  relianceOn,
  revocation,
  signing,
  SPACE,
  spaceNamed,
} from '../../_util/storage-commands.ts'
import { toldBy, toldByAll } from '../../_util/storage-replies.ts'
import {
  NOW_S,
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

/** The actor's purge keeps a ticket so long after its end. */
const TICKET_KEEP_S = 600

async function withStorage(
  test: (storage: StorageUnderTest, clock: { nowS: number }) => Promise<void>,
): Promise<void> {
  const clock = { nowS: NOW_S }
  const storage = await openStorage(directory(), { nowS: () => clock.nowS })
  try {
    await storage.send(hosting())
    await test(storage, clock)
    expect(storage.deaths).toEqual([])
  } finally {
    await storage.close()
  }
}

async function ticketOf(
  storage: StorageUnderTest,
  { ticketId: ticket }: Pick<SignCommand, 'ticketId'>,
): Promise<TicketFacts | undefined> {
  const readers = storage.openReaders()
  try {
    const nothing = { delegations: [], statements: [], spaces: [], keys: [] }
    const [facts] = await readers.database.read([{ ...nothing, ticket }])
    return facts?.ticket
  } finally {
    readers.close()
  }
}

const countTickets = (): number => {
  const database = new Database(storageOptions(directory()).database.path, { readonly: true })
  try {
    return Number(database.prepare('SELECT count(*) FROM signed_kv_ticket').pluck().get())
  } finally {
    database.close()
  }
}

describe('a signed URL', () => {
  it('is told as a path with its end in whole seconds (SIGNED-1)', async () => {
    await withStorage(async (storage) => {
      const sign = signing('a', 'x', { ticket: 'T-1_x', expiresAtS: 1_800_000_299 })
      const [reply] = await storage.send(sign)
      expect(toldBy(reply)).toBe(
        '200 {"url":"/signed/kv/T-1_x","ticketId":"T-1_x","expiresAt":"2027-01-15T08:04:59Z"}',
      )
    })
  })

  it('is no event of its space: nothing of it is in the history', async () => {
    await withStorage(async (storage) => {
      const before = storage.storage.actor.counters.packBytes
      await storage.send(signing('a', 'x'), signing('a', 'x'))
      expect(storage.storage.actor.counters.packBytes).toBe(before)
      expect(countTickets()).toBe(2)
    })
  })

  it('may be asked for again, for another one (SIGNED-2)', async () => {
    await withStorage(async (storage) => {
      const sign = signing('a', 'x')
      const other = { ...again(sign), ticketId: signing('a', 'x').ticketId, ticket: 'other' }
      const replies = await storage.send(sign, other)
      expect(toldByAll(replies).map((told) => told.slice(0, 3))).toEqual(['200', '200'])
      expect(countTickets()).toBe(2)
    })
  })

  it('is refused for a space that is not hosted (SIGNED-2)', async () => {
    await withStorage(async (storage) => {
      const absent = spaceNamed('absent')
      const replies = await storage.send(
        signing('a', 'x', { spaces: [absent] }),
        signing('a', 'x', { spaces: [SPACE, absent] }),
      )
      expect(toldByAll(replies)).toEqual(['SPACE_NOT_FOUND', 'SPACE_NOT_FOUND'])
      expect(countTickets()).toBe(0)
    })
  })

  it('is refused when what it relies on is revoked or over, also within the group (SIGNED-2)', async () => {
    await withStorage(async (storage) => {
      const root = delegation()
      const child = delegation({ relies: [relianceOn(root)] })
      const relies = [relianceOn(child, [relianceOn(root)])]
      const cids = { root: formatRawCid(root.digest), child: formatRawCid(child.digest) }
      const ended = { ...relianceOn(delegation()), effectiveExpiresAtS: NOW_S }
      const [, , , first, , second, third] = await storage.send(
        root,
        child,
        put('a', 'x'),
        signing('a', 'x', { relies }),
        revocation(root),
        signing('a', 'x', { relies }),
        signing('a', 'x', { relies: [ended], action: 'r / a' }),
      )
      expect(toldBy(first)).toMatch(/^200/)
      expect(toldBy(second)).toBe(`ANCESTOR_REVOKED ancestor=${cids.root} invoked=${cids.child}`)
      expect(toldBy(third)).toBe('UNAUTHORIZED_ACTION r / a')
      expect(countTickets()).toBe(1)
    })
  })
})

describe('what is read of a ticket', () => {
  it('is the key as it is now, and the value that the URL is for', async () => {
    await withStorage(async (storage) => {
      const sign = signing('a', 'one')
      await storage.send(sign)
      expect(await ticketOf(storage, sign)).toMatchObject({ isRevoked: false, version: undefined })
      await storage.send(put('a', 'one'))
      const facts = await ticketOf(storage, sign)
      expect(facts).toMatchObject({ expiresAtS: sign.expiresAtS, version: { valueBytes: 3 } })
      expect(Buffer.from(facts?.digest ?? [])).toEqual(Buffer.from(blake3(Buffer.from('one'))))
      await storage.send(del('a'))
      expect((await ticketOf(storage, sign))?.version?.isDeleted).toBe(true)
    })
  })

  it('is nothing under another name', async () => {
    await withStorage(async (storage) => {
      await storage.send(signing('a', 'one'))
      expect(await ticketOf(storage, { ticketId: new Uint8Array(32) })).toBeUndefined()
      expect(await ticketOf(storage, signing('a', 'one'))).toBeUndefined()
    })
  })

  it('tells of a revocation anywhere in any of its chains (SIGNED-5)', async () => {
    await withStorage(async (storage) => {
      const root = delegation()
      const child = delegation({ relies: [relianceOn(root)] })
      const other = delegation()
      const chain = relianceOn(child, [relianceOn(root)])
      const [onBoth, onOther, onNone] = [
        signing('a', 'x', { relies: [chain, relianceOn(other)] }),
        signing('a', 'x', { relies: [relianceOn(other)] }),
        signing('a', 'x'),
      ]
      await storage.send(root, child, other, onBoth, onOther, onNone)
      const revoked = async (): Promise<(boolean | undefined)[]> =>
        Promise.all(
          [onBoth, onOther, onNone].map(async (sign) => (await ticketOf(storage, sign))?.isRevoked),
        )
      expect(await revoked()).toEqual([false, false, false])
      await storage.send(revocation(root))
      expect(await revoked()).toEqual([true, false, false])
      await storage.send(revocation(other))
      expect(await revoked()).toEqual([true, true, false])
    })
  })

  it('is kept over a restart', async () => {
    const root = delegation()
    const sign = signing('a', 'x', { relies: [relianceOn(root)] })
    await withStorage(async (storage) => {
      await storage.send(root, put('a', 'x'), sign)
    })
    const storage = await openStorage(directory())
    try {
      expect(await ticketOf(storage, sign)).toMatchObject({
        isRevoked: false,
        version: { valueBytes: 1 },
      })
    } finally {
      await storage.close()
    }
  })

  it.each([
    ['expires_at', 'expires_at + 3600'],
    ['digest', 'zeroblob(32)'],
    ['kv_key', "CAST('b' AS BLOB)"],
    ['space_no', 'space_no + 1'],
    ['closure', "X''"],
    ['signer', "'did:key:zOther'"],
  ])('is an error when its %s was changed on the disk', async (column, changed) => {
    await withStorage(async (storage) => {
      const root = delegation()
      const sign = signing('a', 'x', { relies: [relianceOn(root)] })
      await storage.send(root, put('a', 'x'), sign)
      const database = new Database(storageOptions(directory()).database.path)
      database.exec(`UPDATE signed_kv_ticket SET ${column} = ${changed}`)
      database.close()
      await expect(ticketOf(storage, sign)).rejects.toMatchObject({ code: 'VALUE_CORRUPT' })
    })
  })
})

describe('tickets that are over', () => {
  it('stay for a while, to tell a late client why, and then go', async () => {
    await withStorage(async (storage, clock) => {
      const [early, late] = [
        signing('a', 'x', { expiresAtS: NOW_S + 10 }),
        signing('a', 'x', { expiresAtS: NOW_S + 300 }),
      ]
      await storage.send(early, late)
      clock.nowS = NOW_S + 10 + TICKET_KEEP_S - 1
      await storage.send(put('b', '1'))
      expect(countTickets()).toBe(2)
      clock.nowS += 1
      await storage.send(put('b', '2'))
      expect(await ticketOf(storage, early)).toBeUndefined()
      expect(await ticketOf(storage, late)).toBeDefined()
      clock.nowS += 290
      await storage.send(put('b', '3'))
      expect(countTickets()).toBe(0)
    })
  })

  it('go in bounded steps, those that ended first before the others', async () => {
    await withStorage(async (storage, clock) => {
      const count = 5000
      const signs = Array.from({ length: count }, (_, index) =>
        signing('a', 'x', { expiresAtS: NOW_S + (index % 100) }),
      )
      await storage.send(...signs)
      expect(countTickets()).toBe(count)
      clock.nowS += 3600
      await storage.send(put('b', '1'))
      expect(countTickets()).toBe(count - 4096)
      expect(await ticketOf(storage, signs.at(-1) ?? signing('a', 'x'))).toBeDefined()
      clock.nowS += 1
      await storage.send(put('b', '2'))
      expect(countTickets()).toBe(0)
    })
  })
})
