import { afterEach, describe, expect, it } from 'vitest'

import {
  type StorageEvents,
  StorageClient,
  type StorageLogLine,
} from '../../src/main/storage-client.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import { StartFault, type StorageReply } from '../../src/workers/storage/request.ts'
import {
  STAND_IN_STORAGE_URL,
  type StandInStorage,
  STORAGE_OPTIONS,
} from '../_util/stand-in-node.ts'

const opened: StorageClient[] = []
afterEach(async () => {
  for (const client of opened.splice(0)) await client.terminate()
})

const QUIET: StorageEvents = {
  onReplies: () => undefined,
  onUnwritable: () => undefined,
  onRoom: () => undefined,
  onLog: () => undefined,
}

async function open(
  script: StandInStorage = {},
  events: Partial<StorageEvents> = {},
): Promise<StorageClient> {
  const { client } = await StorageClient.open({
    workerUrl: STAND_IN_STORAGE_URL,
    workerData: { ...STORAGE_OPTIONS, ...script },
    events: { ...QUIET, ...events },
  })
  opened.push(client)
  return client
}

/** A storage thread whose code is given, for what the stand-in does not do. */
async function openCode(code: string, events: Partial<StorageEvents> = {}): Promise<StorageClient> {
  const { client } = await StorageClient.open({
    workerUrl: new URL(
      `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'\n${code}`)}`,
    ),
    workerData: STORAGE_OPTIONS,
    events: { ...QUIET, ...events },
  })
  opened.push(client)
  return client
}

const READY = `parentPort.postMessage({ kind: 'ready', run: { runNo: 1, runId: 'r' } })\n`

describe('StorageClient', () => {
  it('hands commands on and gives the replies', async () => {
    const replies: StorageReply[] = []
    const client = await open({}, { onReplies: (batch) => void replies.push(...batch) })
    const commands = new PackedWriter().u32(7).u32(8).finish()
    client.sendCommands(commands)
    expect(commands.byteLength).toBe(0)
    expect(await client.probe(true)).toBeUndefined()
    expect(replies.map((reply) => [reply.requestId, reply.kind])).toEqual([
      [7, 'answer'],
      [8, 'answer'],
    ])
  })

  it('rejects with the fault of a thread that cannot start', async () => {
    const fault = { what: 'a', why: 'b', remedy: 'c' }
    const error: unknown = await open({ fault }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(StartFault)
    expect(error).toMatchObject({ fault })
  })

  it('rejects when the thread dies before it is ready', async () => {
    await expect(openCode(`throw new Error('planted')`)).rejects.toMatchObject({
      fault: { why: 'planted' },
    })
    await expect(openCode(`process.exit(4)`)).rejects.toMatchObject({
      fault: { why: 'it ended with exit code 4' },
    })
  })

  it('says that it failed when the thread ends later, and takes no part in what follows', async () => {
    const client = await openCode(`${READY}parentPort.on('message', () => process.exit(5))`)
    client.sendCommands(new ArrayBuffer(4))
    expect((await client.failed).why).toContain('exit code 5')
    expect(client.isWritable).toBe(false)
    client.sendCommands(new ArrayBuffer(4))
    await client.close()
  })

  it('gives a failure when a probe fails, and the counters', async () => {
    const client = await open({ probe: 'fails' })
    expect(await client.probe(false)).toEqual({ code: 'STORAGE_UNAVAILABLE', detail: '' })
    const [first, second] = await Promise.all([client.counters(), client.counters()])
    expect(first).toEqual(second)
    expect(first).toMatchObject({ groups: 1, mailboxItems: 6 })
  })

  it('passes on log lines and the end of writing', async () => {
    const lines: StorageLogLine[] = []
    const reasons: string[] = []
    const line = { kind: 'log', level: 'warn', event: 'e', fields: { a: 1 } }
    const client = await openCode(
      `${READY}parentPort.postMessage(${JSON.stringify(line)})
       parentPort.postMessage({ kind: 'unwritable', reason: 'disk' })
       parentPort.on('message', (message) => parentPort.postMessage({ kind: 'probed', probeId: message.probeId }))`,
      {
        onLog: (logged) => void lines.push(logged),
        onUnwritable: (reason) => void reasons.push(reason),
      },
    )
    expect(client.isWritable).toBe(true)
    await client.probe(false)
    expect([lines, reasons, client.isWritable]).toEqual([[line], ['disk'], false])
  })

  it('resolves close when the thread has ended', async () => {
    const client = await open()
    await client.close()
    const ended = await Promise.race([
      client.failed.then(() => 'failed'),
      Promise.resolve('closed'),
    ])
    expect(ended).toBe('closed')
  })
})
