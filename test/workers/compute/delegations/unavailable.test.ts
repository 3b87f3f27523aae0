/** Questions while the database cannot be read: each route's own words, and the reason for the log. */
import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSessionKey } from '../../../../src/protocol/client/session-key.ts'
import { NOTHING_ASKABLE } from '../../../../src/protocol/inquiry.ts'
import { NOTHING_KEPT } from '../../../../src/workers/keep-rule.ts'
import { NO_SPACE_LIMITS } from '../../../../src/workers/space-limits.ts'
import { PackedWriter } from '../../../../src/protocol/packed.ts'
import { openStaging } from '../../../../src/workers/blocks/staging.ts'
import { runBatch } from '../../../../src/workers/compute/batch.ts'
import { type ComputeContext } from '../../../../src/workers/compute/context.ts'
import { readResults, type Route, writeEntry } from '../../../../src/workers/compute/request.ts'
import { Streams } from '../../../../src/workers/compute/streams.ts'
import { issueQuestion } from '../../../_util/questions.ts'
import { OWNER_ADDRESS } from '../../../_util/storage-commands.ts'
import {
  openStorage,
  storageOptions,
  type StorageUnderTest,
} from '../../../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../../../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()

const CID = 'bafkr4ihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const SECRET = new Uint8Array(32)

const QUESTIONS: readonly (readonly [Route, string, string, unknown, string])[] = [
  ['status', `urn:cid:${CID}`, 'tinycloud.delegation/status', { cid: CID }, 'STATUS_UNAVAILABLE'],
  [
    'query',
    `tinycloud:pkh:eip155:1:${OWNER_ADDRESS}:default/delegation`,
    'tinycloud.delegation/list',
    {},
    'QUERY_UNAVAILABLE',
  ],
]

/** A worker's context whose database is closed. */
function brokenContext(under: StorageUnderTest): ComputeContext {
  const { database, blocks } = under.openReaders()
  void database.close()
  const { blocks: options } = storageOptions(directory())
  const staging = openStaging(options, { runNo: 1, runId: 'run' }, 'memory')
  return {
    database,
    blocks,
    staging,
    streams: new Streams(staging),
    secret: SECRET,
    cursorKey: createSecretKey(SECRET),
    ticketKey: createSecretKey(SECRET),
    invocationLifetimeS: 300,
    clockSkewS: 0,
    implicitText: 'drop',
    spaceLimits: NO_SPACE_LIMITS,
    keepRule: NOTHING_KEPT,
    askable: NOTHING_ASKABLE,
    nowS: () => Date.now() / 1000,
    randomBytes: (count) => new Uint8Array(count),
  }
}

describe('a question while the database cannot be read', () => {
  it.each(QUESTIONS)('%s is refused in its own words', async (route, uri, ability, json, code) => {
    const under = await openStorage(directory())
    const context = brokenContext(under)
    const authorization = issueQuestion({
      key: createSessionKey(new Uint8Array(32).fill(3)),
      grants: { [uri]: [ability] },
    })
    const writer = new PackedWriter()
    writeEntry(writer, {
      kind: 'token',
      requestId: 7,
      route,
      authorization,
      headers: [],
      body: { kind: 'whole', bytes: Buffer.from(JSON.stringify(json)) },
    })
    const { results, faults } = await runBatch(context, writer.finish())
    expect([...readResults(results)]).toEqual([
      { requestId: 7, kind: 'failure', failure: { code, detail: '' } },
    ])
    expect(faults).toEqual([expect.stringContaining('the database cannot be read')])
    context.blocks.close()
    await under.close()
  })
})
