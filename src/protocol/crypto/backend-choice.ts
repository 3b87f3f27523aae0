/**
 * Which implementation of a primitive runs. Native packages are optional: one that is missing, or that fails its known
 * answers, is passed over, so the choice decides the speed and never a verdict.
 */
export interface Backend {
  readonly name: string
}

export interface BackendCandidate<B extends Backend> {
  /** The backend, or undefined where its package or platform support is missing. May throw for the same reason. */
  readonly load: () => B | undefined
  readonly isPortable?: boolean
}

export class BackendChoice<B extends Backend> {
  readonly #candidates: readonly BackendCandidate<B>[]
  readonly #answersRight: (backend: B) => boolean
  #current: B

  /** `candidates`: fastest first, the last one portable. `answersRight`: known answers, must be quick. */
  constructor(candidates: readonly BackendCandidate<B>[], answersRight: (backend: B) => boolean) {
    this.#candidates = candidates
    this.#answersRight = answersRight
    this.#current = this.#first(candidates)
  }

  get current(): B {
    return this.#current
  }

  /** Chooses again: the fastest, or the portable one. */
  select({ portable }: { readonly portable: boolean }): void {
    const candidates = portable
      ? this.#candidates.filter((candidate) => candidate.isPortable)
      : this.#candidates
    this.#current = this.#first(candidates)
  }

  /** Runs on this one from now on: for tests that compare them. */
  use(backend: B): void {
    this.#current = backend
  }

  /** All that work on this machine. */
  available(): B[] {
    return this.#candidates.flatMap((candidate) => this.#open(candidate) ?? [])
  }

  #first(candidates: readonly BackendCandidate<B>[]): B {
    for (const candidate of candidates) {
      const backend = this.#open(candidate)
      if (backend !== undefined) return backend
    }
    throw new Error('no backend works: the portable one fails its known answers')
  }

  #open(candidate: BackendCandidate<B>): B | undefined {
    try {
      const backend = candidate.load()
      return backend !== undefined && this.#answersRight(backend) ? backend : undefined
    } catch {
      return undefined
    }
  }
}
