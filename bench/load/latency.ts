/** Latencies of a run, kept whole and sorted once at the end. */
export interface LatencySummary {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly requestsPerSecond: number
  readonly latencyMs: LatencySummary
  /** Answers by status, or by the name of an error of the connection. */
  readonly statuses: Readonly<Record<string, number>>
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export function summariseLatencies(latenciesMs: readonly number[]): LatencySummary {
  const sorted = Float64Array.from(latenciesMs).toSorted()
  return {
    p50: percentile(sorted, 0.5),
    p90: percentile(sorted, 0.9),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: sorted.at(-1) ?? Number.NaN,
  }
}

export class LoadLog {
  readonly #latenciesMs: number[] = []
  readonly #statuses = new Map<string, number>()

  add(outcome: string, latencyMs: number): void {
    this.#latenciesMs.push(latencyMs)
    this.#statuses.set(outcome, (this.#statuses.get(outcome) ?? 0) + 1)
  }

  report(seconds: number): LoadReport {
    const requests = this.#latenciesMs.length
    return {
      requests,
      seconds,
      requestsPerSecond: requests / seconds,
      latencyMs: summariseLatencies(this.#latenciesMs),
      statuses: Object.fromEntries(this.#statuses),
    }
  }
}
