/** Runs the node under strace with a known load, and gives the trace together with what must be found in it. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Account,
  assertOk,
  type Connections,
  issueShare,
  kv,
  openAccount,
  openConnections,
  postDelegation,
  revokeByKey,
  revokeByWallet,
} from './client.ts'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from './node-process.ts'
import { type Call, parseTrace, type StoredValue, TRACE_COMMAND } from './sync-trace.ts'

/** The tracer ends a moment after the program. */
const TRACE_END_TIMEOUT_MS = 20_000
const LARGE_BYTES = 3 * 1024 * 1024 + 17
const VALUE_BYTES = 1024

export interface TraceSource {
  /** Root of another copy of the project. */
  readonly projectRoot?: string
}

async function readTrace(file: string): Promise<string> {
  const deadlineMs = performance.now() + TRACE_END_TIMEOUT_MS
  for (;;) {
    const text = await readFile(file, 'utf8')
    if (/\+\+\+ (exited with|killed by) .*\+\+\+\s*$/.test(text)) {
      const again = await readFile(file, 'utf8')
      if (again.length === text.length) return text
    }
    if (performance.now() > deadlineMs) throw new Error('the trace has no end')
    await sleep(100)
  }
}

/** Runs `work` against a traced node, stops the node, and gives the calls and what `work` gave. */
async function traceWork<T>(
  { projectRoot }: TraceSource,
  connectionCount: number,
  work: (connections: Connections, node: NodeProcess) => Promise<T>,
  examine: (directory: string, outcome: T) => Promise<void> = async () => {},
): Promise<{ calls: Call[]; outcome: T }> {
  const directory = await createDirectory('trace')
  try {
    const traceFile = path.join(directory, 'trace')
    const node = await startNodeProcess({
      directory,
      wrapper: [...TRACE_COMMAND, '-o', traceFile],
      ...(projectRoot === undefined ? {} : { projectRoot }),
    })
    const connections = openConnections(node.url, connectionCount)
    const outcome = await work(connections, node)
    await connections.close()
    await node.stop()
    await examine(directory, outcome)
    return { calls: parseTrace(await readTrace(traceFile)), outcome }
  } finally {
    await removeDirectory(directory)
  }
}

/** Requests of every kind on one connection; tells for each whether its 2xx acknowledges a change. */
async function sendEveryKind(connections: Connections, account: Account): Promise<boolean[]> {
  const changes: boolean[] = []
  const step = async (
    name: string,
    isChange: boolean,
    send: () => ReturnType<typeof kv>,
  ): Promise<void> => {
    assertOk(await send(), name)
    changes.push(isChange)
  }
  for (let round = 0; round < 3; round++) {
    const key = `folder/${round}`
    await step('put', true, () =>
      kv(connections, account, 'put', key, { body: randomBytes(VALUE_BYTES) }),
    )
    await step('overwrite', true, () => kv(connections, account, 'put', key, { body: 'again' }))
    await step('get', false, () => kv(connections, account, 'get', key))
    await step('large put', true, () =>
      kv(connections, account, 'put', `large/${round}`, { body: randomBytes(LARGE_BYTES) }),
    )
    await step('delete', true, () => kv(connections, account, 'del', key))
    await step('delete of a large value', true, () =>
      kv(connections, account, 'del', `large/${round}`),
    )
    const share = issueShare(account)
    await step('delegate', true, () => postDelegation(connections, share))
    await step('revoke', true, () =>
      round === 0
        ? revokeByWallet(connections, account.wallet, share.cid)
        : revokeByKey(connections, account, share.cid),
    )
  }
  return changes
}

export async function traceSequentialChanges(
  source: TraceSource = {},
): Promise<{ calls: Call[]; changes: boolean[] }> {
  const { calls, outcome } = await traceWork(source, 1, async (connections) => {
    const account = await openAccount(connections)
    return sendEveryKind(connections, account)
  })
  // What came before, at start and while the account was opened, is not part of the sequence.
  return { calls: lastAnswers(calls, outcome.length), changes: outcome }
}

/** Cuts the trace so that it begins after the answer that stands before the last `count`. */
function lastAnswers(calls: readonly Call[], count: number): Call[] {
  const answers = calls.filter(
    ({ file, args }) => file.startsWith('TCP') && args.includes('"HTTP/1.1 2'),
  )
  const before = answers.at(-count - 1)
  return calls.filter(({ enteredAt }) => before === undefined || enteredAt > before.enteredAt)
}

interface SentValue {
  readonly bytes: Buffer
  readonly etag: string
}

async function findInPacks(
  directory: string,
  values: readonly SentValue[],
): Promise<StoredValue[]> {
  const names = await readdir(directory, { recursive: true })
  const packs = await Promise.all(
    names
      .filter((name) => name.endsWith('.car'))
      .map(async (name) => {
        const packFile = path.join(directory, name)
        return { packFile, bytes: await readFile(packFile) }
      }),
  )
  return values.flatMap(({ bytes, etag }) =>
    packs.flatMap((pack) => {
      const offset = pack.bytes.indexOf(bytes)
      return offset < 0 ? [] : [{ packFile: pack.packFile, offset, etag }]
    }),
  )
}

/** Puts of different values over many connections at once, and where each value lies. */
export async function traceConcurrentPuts(
  { connections: connectionCount, puts }: { connections: number; puts: number },
  source: TraceSource = {},
): Promise<{ calls: Call[]; values: StoredValue[] }> {
  let values: StoredValue[] = []
  const { calls } = await traceWork(
    source,
    connectionCount,
    async (connections) => {
      const account = await openAccount(connections)
      return Promise.all(
        Array.from({ length: puts }, async (_, index): Promise<SentValue> => {
          const bytes = randomBytes(VALUE_BYTES)
          const reply = await kv(connections, account, 'put', `key-${index}`, { body: bytes })
          assertOk(reply, 'put')
          const etag = /blake3-[0-9a-f]{64}/.exec(String(reply.headers['etag']))?.[0]
          if (etag === undefined) throw new Error('put: no etag')
          return { bytes, etag }
        }),
      )
    },
    async (directory, sent) => {
      values = await findInPacks(directory, sent)
    },
  )
  return { calls, values }
}
