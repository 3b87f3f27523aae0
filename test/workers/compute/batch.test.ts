/** A fault in one entry of a batch fails that entry only. */
import { expect, it } from 'vitest'
import { signInvocation } from '../../../src/protocol/client/key-tokens.ts'
import {
  signHostDelegation,
  signSessionDelegation,
} from '../../../src/protocol/client/wallet-tokens.ts'
import { hostDid } from '../../../src/protocol/host-key.ts'
import { type DatabaseReader } from '../../../src/workers/database/facts.ts'
import { StorageFault } from '../../../src/workers/storage-fault.ts'
import { NODE_SECRET, openComputeAndStorage } from '../../_util/compute-and-storage.ts'
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

it('answers the others when one row cannot be read', async () => {
  const faults: string[] = []
  const node = await openComputeAndStorage(directoryOf(), NOW_S, {
    wrapReader: withBrokenKey,
    onFaults: (found) => faults.push(...found),
  })
  const hosting = signHostDelegation(OWNER, {
    ...SIGNING,
    space: SPACE,
    hostDid: hostDid(NODE_SECRET, SPACE),
  })
  for (const { authorization } of [hosting, session])
    await node.send([{ route: 'delegate', authorization }])
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
