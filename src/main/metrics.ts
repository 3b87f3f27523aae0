/**
 * What is counted, in the text form of Prometheus. Names are those of the existing node where the meaning is the same
 * (reference-behaviour §7). Labels are closed sets: routes by pattern, methods known to the router, statuses.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

import { type BatchResult } from '../workers/compute/request.ts'
import { type StorageCounters } from '../workers/storage/request.ts'
import { type Exchange } from './http/exchange.ts'
import { type Admission } from './pipeline/admission.ts'
import { type Dispatcher } from './pipeline/dispatcher.ts'
import { type ReplayClaims } from './pipeline/replay-claims.ts'
import { type ScrubCounters } from './scrub.ts'

/** As the existing node has them, and finer below 10 ms. */
const DURATION_BUCKETS_S = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 90,
  120, 180, 300,
]
const BATCH_BUCKETS = [1, 2, 4, 8, 16]

/** Where the gauges look when they are asked. */
export interface MetricsSources {
  readonly admission: Admission
  readonly dispatcher: Dispatcher
  readonly claims: ReplayClaims
  isWritable(): boolean
  isLowOnSpace(): boolean
  workerCount(): number
  storageCounters(): Promise<StorageCounters | undefined>
  /** Undefined: there is no scrub. */
  scrubCounters(): ScrubCounters | undefined
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #durations: Histogram<'method' | 'route' | 'status'>
  /** Label lookups cost more than the observation, so each combination is looked up once. */
  readonly #observers = new Map<string, { observe(value: number): void }>()
  readonly #refusals: Counter<'code'>
  readonly #batchEntries: Histogram
  readonly #computeSeconds: Counter
  readonly #computeFaults: Counter
  readonly #workersLost: Counter

  constructor() {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#durations = new Histogram({
      name: 'tinycloud_http_request_duration_seconds',
      help: 'Time from the head of a request to the head of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATION_BUCKETS_S,
      registers,
    })
    this.#refusals = new Counter({
      name: 'tinycloud_refusals_total',
      help: 'Requests refused, by code (docs/protocol.md).',
      labelNames: ['code'],
      registers,
    })
    this.#batchEntries = new Histogram({
      name: 'tinycloud_compute_batch_entries',
      help: 'Requests per batch handed to a compute worker.',
      buckets: BATCH_BUCKETS,
      registers,
    })
    this.#computeSeconds = new Counter({
      name: 'tinycloud_compute_busy_seconds_total',
      help: 'Time that compute workers spent on batches.',
      registers,
    })
    this.#computeFaults = new Counter({
      name: 'tinycloud_compute_faults_total',
      help: 'Entries that failed because of a fault of the node.',
      registers,
    })
    this.#workersLost = new Counter({
      name: 'tinycloud_compute_workers_lost_total',
      help: 'Compute workers that died and were replaced.',
      registers,
    })
  }

  /** The gauges, which look when they are asked. */
  observeSources(sources: MetricsSources): void {
    const { admission, dispatcher, claims } = sources
    this.#gauge(
      'admission_operations',
      'Requests between arrival and reply.',
      () => admission.load.operations,
    )
    this.#gauge('admission_bytes', 'Bytes held for them.', () => admission.load.bytes)
    this.#gauge(
      'admission_streams',
      'Uploads, downloads and long lists.',
      () => admission.load.streams,
    )
    this.#gauge(
      'admission_refused',
      'Requests refused because the budget was spent.',
      () => admission.refusedCount,
    )
    this.#gauge(
      'lanes',
      'Spaces with a request that waits for a worker.',
      () => dispatcher.laneCount,
    )
    this.#gauge('lane_requests', 'Requests that wait for a worker.', () => dispatcher.waitingCount)
    this.#gauge(
      'storage_waiting',
      'Changes that wait for storage.',
      () => dispatcher.atStorageCount,
    )
    this.#gauge('replay_claims', 'Reads that cannot be repeated.', () => claims.count)
    this.#gauge('compute_workers', 'Compute workers alive.', () => sources.workerCount())
    this.#gauge('storage_writable', '0 once a write or sync failed for good.', () =>
      Number(sources.isWritable()),
    )
    this.#gauge(
      'storage_low_on_space',
      '1 while the disk has less free than storage.reserve.',
      () => Number(sources.isLowOnSpace()),
    )
    this.#observeStorage(sources)
    this.#observeIntegrity(sources)
  }

  onAnswered(exchange: Exchange, status: number): void {
    const method = exchange.request.method ?? ''
    const name = `${method} ${exchange.route} ${status}`
    let observer = this.#observers.get(name)
    if (!observer) {
      observer = this.#durations.labels(method, exchange.route, String(status))
      this.#observers.set(name, observer)
    }
    observer.observe((performance.now() - exchange.startedMs) / 1000)
    if (exchange.refusal) this.#refusals.labels(exchange.refusal.code).inc()
  }

  onBatch(entryCount: number, { counters, faults }: BatchResult): void {
    this.#batchEntries.observe(entryCount)
    this.#computeSeconds.inc(counters.busyMs / 1000)
    if (faults.length > 0) this.#computeFaults.inc(faults.length)
  }

  onWorkerLost(): void {
    this.#workersLost.inc()
  }

  /** Text exposition 0.0.4. */
  format(): Promise<string> {
    return this.#registry.metrics()
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `tinycloud_${name}`,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(read()),
    })
  }

  #observeStorage(sources: MetricsSources): void {
    const counters: Gauge<'counter'> = new Gauge({
      name: 'tinycloud_storage',
      help: 'Counters of the storage thread since its start; mailbox_items is what waits now.',
      labelNames: ['counter'],
      registers: [this.#registry],
      collect: async () => {
        const read = await sources.storageCounters()
        for (const [name, value] of Object.entries(read ?? {})) {
          counters.labels(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).set(value)
        }
      },
    })
  }

  #observeIntegrity(sources: MetricsSources): void {
    const quarantined: Gauge = new Gauge({
      name: 'tinycloud_quarantined_blocks',
      help: 'Rows, blocks and files that are known to be damaged.',
      registers: [this.#registry],
      collect: async () => {
        const counters = await sources.storageCounters()
        if (counters) quarantined.set(counters.quarantined)
      },
    })
    const scrub = (name: string, help: string, read: (of: ScrubCounters) => number): void =>
      this.#gauge(`scrub_${name}`, help, () => {
        const counters = sources.scrubCounters()
        return counters ? read(counters) : 0
      })
    scrub('bytes', 'Bytes that the scrub has read since the start.', ({ bytes }) => bytes)
    scrub('cycles', 'Times that it has read everything since the start.', ({ cycles }) => cycles)
    scrub(
      'last_cycle_end_seconds',
      'Unix time at which it had last read everything; 0: not yet.',
      ({ lastCycleEndedAtS }) => lastCycleEndedAtS ?? 0,
    )
    scrub('problems', 'What it found in its last or present cycle.', ({ problems }) => problems)
  }
}
