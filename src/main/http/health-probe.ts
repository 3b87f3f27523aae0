/**
 * Whether the node can do its work: the storage thread answers (with `write`: a real commit reached the disk) and a
 * compute worker is alive. Anybody may ask, so questions of one kind share one probe, and its result holds for a moment:
 * health checks must not become a load.
 */
import { type Failure } from '../../protocol/answer.ts'

/** A result answers questions that come within this time after it. */
const RESULT_AGE_MAX_MS = 500

export interface ProbeTargets {
  probeStorage(write: boolean): Promise<Failure | undefined>
  isComputeAlive(): boolean
}

interface Probe {
  readonly result: Promise<Failure | undefined>
  /** Infinity while it runs. */
  expiresAtMs: number
}

export class HealthProbe {
  readonly #targets: ProbeTargets
  readonly #nowMs: () => number
  readonly #probes = new Map<boolean, Probe>()

  constructor(targets: ProbeTargets, nowMs: () => number) {
    this.#targets = targets
    this.#nowMs = nowMs
  }

  /** Undefined: healthy. */
  async check(write: boolean): Promise<Failure | undefined> {
    if (!this.#targets.isComputeAlive()) return { code: 'INTERNAL', detail: '' }
    const current = this.#probes.get(write)
    if (current && this.#nowMs() < current.expiresAtMs) return current.result
    const probe: Probe = { result: this.#targets.probeStorage(write), expiresAtMs: Infinity }
    this.#probes.set(write, probe)
    const failure = await probe.result
    probe.expiresAtMs = this.#nowMs() + RESULT_AGE_MAX_MS
    return failure
  }
}
