/** The real edge of the node over stand-in workers, on a port of its own, and a raw way to talk to it. */
import { connect } from 'node:net'

import { ComputeClient } from '../../src/main/compute-client.ts'
import { type ProxyNetwork } from '../../src/main/config/node-config.ts'
import { TrustedProxies } from '../../src/main/http/client-address.ts'
import { CONNECTION_LIMITS, type ConnectionLimits } from '../../src/main/http/connections.ts'
import { HealthProbe } from '../../src/main/http/health-probe.ts'
import { OpenReads } from '../../src/main/http/open-reads.ts'
import { Replies } from '../../src/main/http/replies.ts'
import { createServer, readPort } from '../../src/main/http/server.ts'
import { SignedRequests } from '../../src/main/http/signed-requests.ts'
import { Network } from '../../src/main/network/network.ts'
import {
  Admission,
  ADMISSION_LIMITS,
  type AdmissionLimits,
} from '../../src/main/pipeline/admission.ts'
import { Dispatcher } from '../../src/main/pipeline/dispatcher.ts'
import { type RateLimits, RateLimiter } from '../../src/main/pipeline/rate-limiter.ts'
import { ReplayClaims } from '../../src/main/pipeline/replay-claims.ts'
import { StorageClient } from '../../src/main/storage-client.ts'
import { NOTHING_ASKABLE } from '../../src/protocol/inquiry.ts'
import { NOTHING_KEPT } from '../../src/workers/keep-rule.ts'
import { NO_SPACE_LIMITS } from '../../src/workers/space-limits.ts'
import { type ComputeOptions } from '../../src/workers/compute/request.ts'
import { type Fault, type StorageOptions } from '../../src/workers/storage/request.ts'

export const STAND_IN_COMPUTE_URL = new URL('./stand-in-compute.worker.ts', import.meta.url)
export const STAND_IN_STORAGE_URL = new URL('./stand-in-storage.worker.ts', import.meta.url)

const DATABASE = { type: 'sqlite', path: '' } as const
const BLOCKS = { type: 'local', path: '' } as const

export const STORAGE_OPTIONS: StorageOptions = {
  database: DATABASE,
  blocks: BLOCKS,
  secretFingerprint: new Uint8Array(32),
  invocationLifetimeS: 300,
  spaceLimits: NO_SPACE_LIMITS,
  keepRule: NOTHING_KEPT,
  reserveBytes: 0,
}

export const COMPUTE_OPTIONS: ComputeOptions = {
  database: DATABASE,
  blocks: BLOCKS,
  run: { runNo: 1, runId: 'run' },
  secret: new Uint8Array(32),
  invocationLifetimeS: 300,
  clockSkewS: 0,
  implicitText: 'drop',
  staging: 'memory',
  spaceLimits: NO_SPACE_LIMITS,
  keepRule: NOTHING_KEPT,
  askable: NOTHING_ASKABLE,
}

/** The script of the stand-in storage thread. */
export interface StandInStorage {
  readonly fault?: Fault
  readonly probe?: 'fails' | 'hangs'
}

export interface StandInOptions {
  readonly cors?: boolean
  readonly trustedProxies?: readonly ProxyNetwork[]
  readonly rate?: RateLimits
  readonly staging?: 'memory' | 'file'
  readonly limits?: Partial<AdmissionLimits>
  readonly workerCount?: number
  readonly storage?: StandInStorage
  readonly connections?: Partial<ConnectionLimits>
}

export interface StandInNode {
  readonly url: string
  readonly port: number
  readonly compute: ComputeClient
  readonly admission: Admission
  readonly dispatcher: Dispatcher
  readonly signed: SignedRequests
  readonly lostWorkers: string[]
  readonly faults: unknown[]
  setStopping(): void
  post(
    token: string,
    options?: { path?: string; body?: RequestInit['body']; headers?: Record<string, string> },
  ): Promise<Response>
  close(): Promise<void>
}

export async function openStandInNode(options: StandInOptions = {}): Promise<StandInNode> {
  const faults: unknown[] = []
  const lostWorkers: string[] = []
  let isStopping = false
  const parts: { dispatcher?: Dispatcher } = {}
  const { client: storage } = await StorageClient.open({
    workerUrl: STAND_IN_STORAGE_URL,
    workerData: { ...STORAGE_OPTIONS, ...options.storage },
    events: {
      onReplies: (replies) => parts.dispatcher?.settleReplies(replies),
      onUnwritable: () => undefined,
      onRoom: () => undefined,
      onLog: () => undefined,
    },
  })
  const compute = await ComputeClient.open({
    workerUrl: STAND_IN_COMPUTE_URL,
    workerCount: options.workerCount ?? 1,
    workerData: COMPUTE_OPTIONS,
    events: { onWorkerLost: (_threadId, reason) => lostWorkers.push(reason) },
  })
  const dispatcher = new Dispatcher({
    compute,
    storage,
    observer: { onBatch: () => undefined, onFault: (error) => faults.push(error) },
  })
  parts.dispatcher = dispatcher
  const admission = new Admission({ ...ADMISSION_LIMITS, ...options.limits })
  const replies = new Replies({
    compute,
    claims: new ReplayClaims(1024, 7),
    nowS: () => Date.now() / 1000,
  })
  const signed = new SignedRequests({
    admission,
    dispatcher,
    compute,
    replies,
    network: new Network({}),
    staging: options.staging ?? 'memory',
    isLowOnSpace: () => false,
  })
  const publicLimiter = new RateLimiter(options.rate ?? { perMinute: 6000, burst: 1000 }, () =>
    performance.now(),
  )
  const openReads = new OpenReads({ admission, dispatcher, replies, publicLimiter })
  const targets = {
    probeStorage: (write: boolean) => storage.probe(write),
    isComputeAlive: () => compute.workerCount > 0,
  }
  const app = createServer({
    settings: {
      cors: options.cors ?? true,
      trustedProxies: new TrustedProxies(options.trustedProxies ?? []),
      connections: { ...CONNECTION_LIMITS, ...options.connections },
      isStopping: () => isStopping,
      onAnswered: () => undefined,
    },
    signed,
    openReads,
    probe: new HealthProbe(targets, () => performance.now()),
    info: { protocol: 1, version: '0', features: ['kv'], nodeId: 'did:key:z', inTEE: false },
    nodeSecret: new Uint8Array(32).fill(7),
    onFault: (error) => faults.push(error),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const port = readPort(app.server)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    compute,
    admission,
    dispatcher,
    signed,
    lostWorkers,
    faults,
    setStopping: () => {
      isStopping = true
    },
    post: (token, { path = '/invoke', body, headers = {} } = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: token, ...headers },
        ...(body !== undefined && { body, duplex: 'half' }),
      }),
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
      await compute.close()
      await storage.close()
    },
  }
}

/** Sends bytes as they are and gives what comes back until the connection ends, or `untilText` was seen. */
export function talk(
  port: number,
  parts: readonly (string | Uint8Array | number)[],
  options: { untilText?: string; timeoutMs?: number } = {},
): Promise<{ text: string; end: 'closed' | 'reset' | 'seen' | 'late' }> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    const timer = setTimeout(() => settle('late'), options.timeoutMs ?? 5000)
    const settle = (end: 'closed' | 'reset' | 'seen' | 'late'): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, end })
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (options.untilText !== undefined && text.includes(options.untilText)) settle('seen')
    })
    socket.on('end', () => settle('closed'))
    socket.on('error', () => settle('reset'))
    socket.on('connect', () => {
      void (async () => {
        for (const part of parts) {
          if (typeof part === 'number') await new Promise((wake) => setTimeout(wake, part))
          else socket.write(part)
        }
      })()
    })
  })
}
