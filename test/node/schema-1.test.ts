/** Data of people who started with schema 1: opened, brought up to date, and kept as it was. */
import Database from 'better-sqlite3'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import {
  assertOk,
  type Connections,
  type Holder,
  kv,
  openConnections,
  type Reply,
} from '../_util/client.ts'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../_util/node-process.ts'
import { PROJECT_ROOT } from '../_util/paths.ts'
import { databaseOf } from '../_util/stored-node.ts'
import { verifyDirectory } from '../_util/verify-directory.ts'

/** As test/fixtures/schema-1/README.md tells. */
const HOLDER: Holder = {
  space: createWallet(new Uint8Array(32).fill(11)).spaceId('default'),
  key: createSessionKey(new Uint8Array(32).fill(12)),
  cid: 'bafkr4ickdh3cd2podlce73tjnzsfubug3hhqtlgdu6dm5birkmxmrwbgxq',
  authorization: '',
}

let directory: string
let node: NodeProcess
let connections: Connections

const schemaOf = (): unknown => {
  const database = new Database(databaseOf(directory), { readonly: true })
  const version = database.pragma('user_version', { simple: true })
  database.close()
  return version
}
const call = (action: 'get' | 'put', key: string, options = {}): Promise<Reply> =>
  kv(connections, HOLDER, action, key, options)

beforeAll(async () => {
  directory = await createDirectory('schema-1')
  const archive = path.join(PROJECT_ROOT, 'test/fixtures/schema-1/data.tar.gz')
  execFileSync('tar', ['-xzf', archive, '-C', directory])
})
afterAll(async () => {
  await connections.close()
  await removeDirectory(directory)
})

it('starts on them, reads all of them, and keeps versions from then on', async () => {
  expect(schemaOf()).toBe(1)
  node = await startNodeProcess({
    directory,
    computeWorkers: 1,
    environment: { TINYCLOUD_STORAGE_HISTORY: '2' },
  })
  connections = openConnections(node.url, 2)
  expect((await call('get', 'plain')).text()).toBe('third')
  expect((await call('get', 'gone')).status).toBe(404)
  expect((await call('get', 'large')).bytes.equals(Buffer.alloc(300_000, 3))).toBe(true)
  expect((await call('get', 'many/3')).text()).toBe('value 3')

  assertOk(await call('put', 'plain', { body: 'fourth' }), 'put')
  assertOk(await call('put', 'large', { body: 'small' }), 'put')
  const list = { headers: { 'x-tinycloud-versions': 'list' } }
  const { versions } = JSON.parse((await call('get', 'plain', list)).text())
  // What was replaced before is gone, and when the third was written nobody knows.
  expect(versions).toMatchObject([{ size: 6 }, { size: 5, writtenAt: null }])
  expect(versions[0].writtenAt).toMatch(/Z$/)
  const third = { headers: { 'x-tinycloud-version': versions[1].version } }
  expect((await call('get', 'plain', third)).text()).toBe('third')

  expect((await node.stop()).code).toBe(0)
  expect(schemaOf()).toBe(3)
  const { damages, problems } = await verifyDirectory(directory, { withStructure: true })
  expect([damages, problems]).toEqual([[], 0])
})
