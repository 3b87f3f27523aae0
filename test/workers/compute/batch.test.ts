/** A fault in one entry of a batch fails that entry only. */
import { expect, it } from 'vitest'
import { signInvocation } from '../../../src/protocol/client/key-tokens.ts'
import {
  signHostDelegation,
  signSessionDelegation,
} from '../../../src/protocol/client/wallet-tokens.ts'
import { hostDid } from '../../../src/protocol/host-key.ts'
import { type DatabaseReader, type VersionFacts } from '../../../src/workers/database/facts.ts'
import { StorageFault } from '../../../src/workers/storage-fault.ts'
import {
  type ComputeAndStorage,
  NODE_SECRET,
  openComputeAndStorage,
} from '../../_util/compute-and-storage.ts'
import { NOW_S, OWNER, SESSION, SIGNING, SPACE } from '../../_util/credentials.ts'
import { useTemporaryDirectory } from '../../_util/temporary-directory.ts'

const directoryOf = useTemporaryDirectory()

/** As a reader whose row of the key `broken` fails its checksum: the whole snapshot is spoiled. */
const withBrokenKey = (reader: DatabaseReader): DatabaseReader => ({
  read: (batch) => {
    const isSpoiled = batch.some(({ keys }) =>
      keys.some(({ key }) => Buffer.from(key).toString() === 'broken'),
    )
    if (isSpoiled) throw new StorageFault('VALUE_CORRUPT', 'a row fails its checksum')
    return reader.read(batch)
  },
  close: () => reader.close(),
})

/** As a reader whose rows name a pack that is not there any more, so many times. */
function withStaleRows(reader: DatabaseReader, staleReads: number): DatabaseReader {
  let left = staleReads
  return {
    read: async (batch) => {
      const facts = await reader.read(batch)
      if (!batch.some(({ keys }) => keys.length > 0) || left-- <= 0) return facts
      return facts.map(({ keys, ...rest }) => ({ ...rest, keys: keys.map(toLostPack) }))
    },
    close: () => reader.close(),
  }
}

const toLostPack = (version: VersionFacts | undefined): VersionFacts | undefined =>
  version?.place?.kind === 'pack'
    ? { ...version, place: { ...version.place, packNo: version.place.packNo + 1000 } }
    : version

let nonce = 0
const session = signSessionDelegation(OWNER, {
  ...SIGNING,
  audience: SESSION.didUrl,
  abilities: { [`${SPACE}/kv`]: ['tinycloud.kv/get', 'tinycloud.kv/put'] },
  expiresAtS: NOW_S + 3600,
})

const invoke = (key: string, operation: 'get' | 'put', body?: string) => ({
  route: 'invoke' as const,
  authorization: signInvocation(SESSION, {
    nonce: `n${nonce++}`,
    expiresAtS: NOW_S + 60,
    proofs: [session.cid],
    grants: { [`${SPACE}/kv/${key}`]: [`tinycloud.kv/${operation}`] },
  }).authorization,
  body:
    body === undefined
      ? ({ kind: 'none' } as const)
      : ({ kind: 'whole', bytes: Buffer.from(body) } as const),
})

async function hostSpace(node: ComputeAndStorage): Promise<void> {
  const hosting = signHostDelegation(OWNER, {
    ...SIGNING,
    space: SPACE,
    hostDid: hostDid(NODE_SECRET, SPACE),
  })
  for (const { authorization } of [hosting, session])
    await node.send([{ route: 'delegate', authorization }])
}

it('answers the others when one row cannot be read', async () => {
  const faults: string[] = []
  const node = await openComputeAndStorage(directoryOf(), NOW_S, {
    wrapReader: withBrokenKey,
    onFaults: (found) => faults.push(...found),
  })
  await hostSpace(node)
  await node.send([invoke('a', 'put', 'one'), invoke('b', 'put', 'two')])
  const outcomes = await node.send([
    invoke('a', 'get'),
    invoke('broken', 'get'),
    invoke('b', 'get'),
    { route: 'invoke', authorization: 'no.token.at-all', body: { kind: 'none' } },
  ])
  expect(outcomes.map(({ status }) => status)).toEqual([200, 500, 200, 401])
  expect(outcomes.map(({ text }) => text).slice(0, 3)).toEqual([
    'one',
    'The stored value failed its integrity check',
    'two',
  ])
  expect(faults).toHaveLength(1)
  await node.close()
})

it.each([
  [1, 200, 'one', 0],
  [2, 500, 'The stored value failed its integrity check', 1],
])(
  'reads a row again, once, whose pack is gone: %i stale reads give %i',
  async (staleReads, status, text, faultCount) => {
    const faults: string[] = []
    let isStale = false
    const node = await openComputeAndStorage(directoryOf(), NOW_S, {
      wrapReader: (reader) => {
        const stale = withStaleRows(reader, staleReads)
        return {
          read: (batch) => (isStale ? stale : reader).read(batch),
          close: () => reader.close(),
        }
      },
      onFaults: (found) => faults.push(...found),
    })
    await hostSpace(node)
    await node.send([invoke('a', 'put', 'one')])
    isStale = true
    const [outcome] = await node.send([invoke('a', 'get')])
    expect(outcome).toMatchObject({ status, text })
    expect(faults).toHaveLength(faultCount)
    await node.close()
  },
)
