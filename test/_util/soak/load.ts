/** The load of the soak: everything that a node does, at a pace that leaves it room, on keys that stay the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Connections, kv, type KvAction, type Reply } from '../client.ts'
import { type TrackedKey } from '../kill-loop/journal.ts'
import { type LaneKeys, type LoadContext, put, remove, revoke, share } from '../kill-loop/load.ts'

const SMALL_BYTES_MAX = 4 * 1024
const LARGE_BYTES = { min: 300 * 1024, max: 1536 * 1024 }
/** Between two requests of a lane. */
const PAUSE_MS_MAX = 20

/** Requests by their latency, as a client sees them. */
export class LatencyLog {
  requests = 0
  #latenciesMs: number[] = []

  /** Connections whose small requests are noted. */
  watch(connections: Connections): Connections {
    return {
      url: connections.url,
      request: async (path, options) => {
        const startedMs = performance.now()
        const reply = await connections.request(path, options)
        this.requests += 1
        const sent = options?.body instanceof Uint8Array ? options.body.length : 0
        if (Math.max(sent, reply.bytes.length) <= SMALL_BYTES_MAX)
          this.#latenciesMs.push(performance.now() - startedMs)
        return reply
      },
      close: () => connections.close(),
    }
  }

  /** The median since the last call; NaN: nothing was sent. */
  takeP50(): number {
    const sorted = this.#latenciesMs.toSorted((left, right) => left - right)
    this.#latenciesMs = []
    return sorted[sorted.length >> 1] ?? Number.NaN
  }
}

async function read(
  { connections, journal }: LoadContext,
  action: KvAction,
  { account, key }: TrackedKey,
): Promise<void> {
  let reply: Reply
  try {
    reply = await kv(connections, account, action, action === 'list' ? '' : key)
  } catch (error) {
    journal.problems.push(`${action}: ${String(error)}`)
    return
  }
  if (reply.status !== 200 && !(reply.status === 404 && action !== 'list'))
    journal.problems.push(`${action} ${key}: ${reply.status} ${reply.text()}`)
}

/** One lane: one request after the other until the time is over. */
export async function runSoakLane(context: LoadContext, keys: LaneKeys): Promise<void> {
  const { random, accounts } = context
  const anyKey = (): TrackedKey => random.pick(random.next() < 0.3 ? keys.shared : keys.own)
  while (!context.isStopped()) {
    const dice = random.next()
    if (dice < 0.35) await put(context, anyKey(), 8 + random.below(SMALL_BYTES_MAX - 8))
    else if (dice < 0.36)
      await put(
        context,
        random.pick(keys.ownLarge),
        LARGE_BYTES.min + random.below(LARGE_BYTES.max - LARGE_BYTES.min),
      )
    else if (dice < 0.46) await remove(context, anyKey())
    else if (dice < 0.465) await remove(context, random.pick(keys.ownLarge))
    else if (dice < 0.5) await share(context, random.pick(accounts))
    else if (dice < 0.53) await revoke(context, random.pick(accounts))
    else if (dice < 0.6) await read(context, 'list', anyKey())
    else if (dice < 0.65) await read(context, 'metadata', anyKey())
    else if (dice < 0.66) await read(context, 'get', random.pick(keys.ownLarge))
    else await read(context, 'get', anyKey())
    await sleep(random.below(PAUSE_MS_MAX))
  }
}
