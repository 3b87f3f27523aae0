/**
 * Wires the node by hand, in the order in which things must be up: storage (the database open, an earlier run cleaned
 * up), compute (each worker warm), then the port (DESIGN §9). Goes down in the opposite order (DESIGN §6).
 */
import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'

import { type FastifyInstance } from 'fastify'

import { describeBackends } from '../protocol/crypto/backends.ts'
import { deriveSeed, nodeDid } from '../protocol/host-key.ts'
import { PROTOCOL_VERSION } from '../protocol/version.ts'
import { type Fault, type RunInfo } from '../workers/storage/request.ts'
import { COMPUTE_WORKER_URL, STORAGE_WORKER_URL } from '../workers/worker-urls.ts'
import { ComputeClient } from './compute-client.ts'
import { type NodeConfig, type NodeSecrets } from './config/node-config.ts'
import {
  logComputeFault,
  logListening,
  logNetworkFault,
  logRequest,
  logRequestFault,
  logRoom,
  logStopped,
  logStopping,
  logStorageLine,
  logUnwritable,
  logWorkerLost,
} from './events.ts'
import { type ExchangeSettings } from './http/exchange.ts'
import { TrustedProxies } from './http/client-address.ts'
import { CONNECTION_LIMITS } from './http/connections.ts'
import { HealthProbe } from './http/health-probe.ts'
import { type MetricsServer, openMetricsServer } from './http/metrics-server.ts'
import { OpenReads } from './http/open-reads.ts'
import { Replies } from './http/replies.ts'
import { createServer, type EdgeParts, readPort } from './http/server.ts'
import { SignedRequests } from './http/signed-requests.ts'
import { type Logger } from './logger.ts'
import { Metrics } from './metrics.ts'
import { type Network } from './network/network.ts'
import { openNetwork } from './network/open-network.ts'
import { type Reach } from './network/web-keys.ts'
import { Admission, ADMISSION_LIMITS } from './pipeline/admission.ts'
import { Dispatcher } from './pipeline/dispatcher.ts'
import { RateLimiter } from './pipeline/rate-limiter.ts'
import { REPLAY_CLAIMS_MAX, ReplayClaims } from './pipeline/replay-claims.ts'
import { Scrub } from './scrub.ts'
import { type Phase, runPhases } from './shutdown.ts'
import { StorageClient } from './storage-client.ts'

/**
 * Young generations keep their first size, in every thread. Nearly all garbage of a request is short-lived, so a larger
 * one saves nothing: measured at 64 connections, 436 MB resident become 282 MB at the same CPU time.
 */
const V8_FLAGS = '--semi-space-growth-factor=1'

const FEATURES = ['kv', 'delegation', 'sharing', 'signed-urls'] as const
/** Only where versions are kept (HIST-2). */
const VERSIONS_FEATURE = 'kv-versions'

/** From the order to stop until the process may end (DESIGN §6), and when each phase of it must be over. */
const STOP_MS = { arriving: 5000, requests: 7000, compute: 8500, storage: 10_000 } as const

export interface RunningNode {
  readonly url: string
  readonly port: number
  /** Settles when the node broke and must end: the process should exit non-zero. */
  readonly failed: Promise<Fault>
  /** Stops within 10 s. `clean`: every phase was in time. A second call waits for the first one. */
  close(): Promise<{ clean: boolean }>
}

export interface StartDeps {
  readonly log: Logger
  /** Of the program, as shown by `/version`. */
  readonly version: string
  /** How tests reach hosts that callers chose; the program reaches the public Internet. */
  readonly reach?: Reach
}

/**
 * Starts the node and opens its port.
 * @throws {StartFault} the reason why storage or compute cannot start
 * @throws the operating system's error when a port cannot be opened
 */
export async function startNode(
  config: NodeConfig,
  secrets: NodeSecrets,
  deps: StartDeps,
): Promise<RunningNode> {
  setFlagsFromString(V8_FLAGS)
  const parts = new NodeParts(config, secrets, deps)
  try {
    await parts.open()
  } catch (error) {
    await parts.abandon()
    throw error
  }
  return parts.running()
}

/** The long-lived objects of one node, opened in order and closed in the opposite one. */
class NodeParts {
  readonly #config: NodeConfig
  readonly #secrets: NodeSecrets
  readonly #deps: StartDeps
  readonly #metrics: Metrics | undefined
  #storage: StorageClient | undefined
  #scrub: Scrub | undefined
  #compute: ComputeClient | undefined
  readonly #network: Network
  #signed: SignedRequests | undefined
  #server: FastifyInstance | undefined
  #metricsServer: MetricsServer | undefined
  #isStopping = false
  #closing: Promise<{ clean: boolean }> | undefined

  constructor(config: NodeConfig, secrets: NodeSecrets, deps: StartDeps) {
    this.#config = config
    this.#secrets = secrets
    this.#deps = deps
    this.#metrics = config.metricsPort === undefined ? undefined : new Metrics()
    this.#network = openNetwork(config, secrets, {
      onFault: (host, fault) => logNetworkFault(deps.log, host, fault),
      reach: deps.reach,
    })
  }

  async open(): Promise<void> {
    const dispatching: { dispatcher?: Dispatcher } = {}
    const { client: storage, run } = await this.#openStorage(dispatching)
    this.#storage = storage
    const compute = await this.#openCompute(run)
    this.#compute = compute
    const dispatcher = new Dispatcher({
      compute,
      storage,
      observer: {
        onBatch: (entryCount, batch) => {
          this.#metrics?.onBatch(entryCount, batch)
          for (const fault of batch.faults) logComputeFault(this.#deps.log, fault)
          if (batch.damages.length > 0) storage.quarantine(batch.damages)
        },
        onFault: (error) => logComputeFault(this.#deps.log, error),
      },
    })
    dispatching.dispatcher = dispatcher
    const admission = new Admission(ADMISSION_LIMITS)
    const claims = new ReplayClaims(REPLAY_CLAIMS_MAX, randomBytes(4).readUInt32LE())
    this.#metrics?.observeSources({
      admission,
      dispatcher,
      claims,
      isWritable: () => storage.isWritable,
      isLowOnSpace: () => storage.isLowOnSpace,
      workerCount: () => compute.workerCount,
      storageCounters: () => storage.counters(),
      scrubCounters: () => this.#scrub?.counters,
    })
    const replies = new Replies({ compute, claims, nowS: () => Date.now() / 1000 })
    this.#signed = new SignedRequests({
      admission,
      dispatcher,
      compute,
      replies,
      network: this.#network,
      staging: this.#config.staging,
      isLowOnSpace: () => storage.isLowOnSpace,
    })
    const { publicSpaces } = this.#config
    const publicLimiter = new RateLimiter(publicSpaces, () => performance.now())
    const openReads = new OpenReads({ admission, dispatcher, replies, publicLimiter })
    await this.#listen(storage, compute, { signed: this.#signed, openReads })
    this.#scrub = Scrub.start(this.#config, { storage, log: this.#deps.log })
  }

  running(): RunningNode {
    if (!this.#server) throw new Error('the node was not opened')
    const port = readPort(this.#server.server)
    const host = this.#config.address.includes(':')
      ? `[${this.#config.address}]`
      : this.#config.address
    const url = `http://${host}:${port}`
    logListening(this.#deps.log, { url, backends: describeBackends() })
    const failures = [this.#storage?.failed, this.#compute?.failed].filter(
      (failure) => failure !== undefined,
    )
    return {
      url,
      port,
      failed: Promise.race(failures),
      close: () => {
        this.#closing ??= this.#close()
        return this.#closing
      },
    }
  }

  /** Gives back what was opened before the start failed. */
  async abandon(): Promise<void> {
    await this.#server?.close()
    await this.#metricsServer?.close()
    this.#network.close()
    await this.#scrub?.close()
    await this.#compute?.close()
    await this.#storage?.close()
  }

  #openStorage(dispatching: {
    dispatcher?: Dispatcher
  }): Promise<{ client: StorageClient; run: RunInfo }> {
    const { log } = this.#deps
    return StorageClient.open({
      workerUrl: STORAGE_WORKER_URL,
      workerData: {
        database: this.#config.database,
        blocks: this.#config.blocks,
        secretFingerprint: deriveSeed(this.#secrets.nodeSecret, 'tinycloud/node/fingerprint'),
        invocationLifetimeS: this.#config.invocation.lifetimeMaxS,
        spaceLimits: this.#config.spaceLimits,
        keepRule: this.#config.keepRule,
        reserveBytes: this.#config.reserveBytes,
      },
      events: {
        onReplies: (replies) => dispatching.dispatcher?.settleReplies(replies),
        onUnwritable: (reason) => logUnwritable(log, reason),
        onRoom: (level, freeBytes) => logRoom(log, level, freeBytes),
        onLog: (line) => logStorageLine(log, line),
      },
    })
  }

  #openCompute(run: RunInfo): Promise<ComputeClient> {
    const config = this.#config
    return ComputeClient.open({
      workerUrl: COMPUTE_WORKER_URL,
      workerCount: config.computeWorkers,
      workerData: {
        database: config.database,
        blocks: config.blocks,
        run,
        secret: this.#secrets.nodeSecret,
        invocationLifetimeS: config.invocation.lifetimeMaxS,
        clockSkewS: config.invocation.clockSkewS,
        implicitText: config.kv.implicitText,
        spaceLimits: config.spaceLimits,
        keepRule: config.keepRule,
        askable: this.#network.askable,
        staging: config.staging,
      },
      events: {
        onWorkerLost: (threadId, reason) => {
          this.#metrics?.onWorkerLost()
          logWorkerLost(this.#deps.log, threadId, reason)
        },
        onDamage: (damage) => this.#storage?.quarantine([damage]),
      },
    })
  }

  async #listen(
    storage: StorageClient,
    compute: ComputeClient,
    handlers: Pick<EdgeParts, 'signed' | 'openReads'>,
  ): Promise<void> {
    const { log, version } = this.#deps
    const { nodeSecret } = this.#secrets
    const settings: ExchangeSettings = {
      cors: this.#config.cors,
      trustedProxies: new TrustedProxies(this.#config.trustedProxies),
      connections: CONNECTION_LIMITS,
      isStopping: () => this.#isStopping,
      onAnswered: (exchange, status) => {
        this.#metrics?.onAnswered(exchange, status)
        logRequest(log, exchange, status)
      },
    }
    const targets = {
      probeStorage: (write: boolean) => storage.probe(write),
      isComputeAlive: () => compute.workerCount > 0,
    }
    const nodeId = nodeDid(nodeSecret)
    const keepsVersions = this.#config.keepRule.kind !== 'none'
    const features = keepsVersions ? [...FEATURES, VERSIONS_FEATURE] : FEATURES
    this.#server = createServer({
      settings,
      ...handlers,
      probe: new HealthProbe(targets, () => performance.now()),
      info: { protocol: PROTOCOL_VERSION, version, features, nodeId, inTEE: false },
      nodeSecret,
      onFault: (error, exchange) => logRequestFault(log, exchange, error),
    })
    const host = this.#config.address
    if (this.#metrics && this.#config.metricsPort !== undefined) {
      this.#metricsServer = await openMetricsServer(this.#metrics, {
        host,
        port: this.#config.metricsPort,
      })
    }
    await this.#server.listen({ host, port: this.#config.port })
  }

  async #close(): Promise<{ clean: boolean }> {
    this.#isStopping = true
    const late = await runPhases(this.#phases(), (name) => logStopping(this.#deps.log, name))
    logStopped(this.#deps.log, late)
    return { clean: late.length === 0 }
  }

  /** Closes the listener and idle connections at once, the others after their answer, or when their time is up. */
  async #closeConnections(): Promise<void> {
    const server = this.#server
    if (!server) return
    const arriving = setTimeout(() => this.#signed?.resetArriving(), STOP_MS.arriving)
    const requests = setTimeout(() => server.server.closeAllConnections(), STOP_MS.requests)
    await server.close()
    clearTimeout(arriving)
    clearTimeout(requests)
  }

  /** Requests end, then the pool, then the actor commits, checkpoints and releases its lock. */
  #phases(): Phase[] {
    return [
      { name: 'connections', deadlineMs: STOP_MS.compute, run: () => this.#closeConnections() },
      {
        name: 'compute',
        deadlineMs: STOP_MS.compute,
        run: async () => {
          this.#network.close()
          await this.#scrub?.close()
          await this.#compute?.close()
        },
      },
      {
        name: 'storage',
        deadlineMs: STOP_MS.storage,
        run: async () => {
          await this.#storage?.close()
          await this.#metricsServer?.close()
        },
      },
    ]
  }
}
