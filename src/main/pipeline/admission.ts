/**
 * The door: one budget of operations and of bytes held in memory, from arrival to reply (HTTP-3, DESIGN §2). What
 * does not fit is refused with NODE_BUSY before any work is done for it.
 *
 * Until a request is verified it counts against its client's share; afterwards against the share of its space, so that
 * strangers who name a space cannot fill it. A space whose share is full gets no new requests in. Shares are a
 * fraction of the whole: no client and no space alone can shut the others out.
 *
 * The space is the one that the token names first (its lane), which is exact for tokens that name one space.
 */

export interface AdmissionLimits {
  /** Requests between arrival and reply. */
  readonly operationsMax: number
  /** Bytes of tokens, bodies and windows held for them. */
  readonly bytesMax: number
  /** Uploads and downloads that do not fit in memory, and lists that go on. */
  readonly streamsMax: number
  /** The part of each limit that one client, or one space, may take. */
  readonly share: number
}

export const ADMISSION_LIMITS: AdmissionLimits = {
  operationsMax: 4096,
  bytesMax: 128 * 1024 * 1024,
  streamsMax: 64,
  share: 0.5,
}

interface Load {
  operations: number
  bytes: number
  streams: number
}

/** Loads by client or by space. An entry exists only while it holds something. */
class Shares {
  readonly #loads = new Map<string, Load>()

  get(name: string): Load {
    let load = this.#loads.get(name)
    if (!load) {
      load = { operations: 0, bytes: 0, streams: 0 }
      this.#loads.set(name, load)
    }
    return load
  }

  peek(name: string): Load | undefined {
    return this.#loads.get(name)
  }

  forgetIfIdle(name: string, load: Load): void {
    if (load.operations === 0) this.#loads.delete(name)
  }

  get count(): number {
    return this.#loads.size
  }
}

/** A place inside the budget. Its holder must call `release` exactly when the reply is out; a second call does nothing. */
export interface Grant {
  /** The token is verified: the request moves to the share of its space. */
  confirm(): void
  /** Takes the place of a stream with a window of so many bytes. False: there is none, answer NODE_BUSY. */
  openStream(windowBytes: number): boolean
  /** Counts an answer that its client is slow to take. It is there already, so it is never refused. */
  hold(bytes: number): void
  release(): void
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #shareOf: {
    readonly operations: number
    readonly bytes: number
    readonly streams: number
  }
  readonly #total: Load = { operations: 0, bytes: 0, streams: 0 }
  readonly #clients = new Shares()
  readonly #spaces = new Shares()
  #refusedCount = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
    this.#shareOf = {
      operations: Math.ceil(limits.operationsMax * limits.share),
      bytes: Math.ceil(limits.bytesMax * limits.share),
      streams: Math.ceil(limits.streamsMax * limits.share),
    }
  }

  get load(): Readonly<Load> {
    return this.#total
  }

  get refusedCount(): number {
    return this.#refusedCount
  }

  /** Clients and spaces with something in flight. */
  get holderCount(): number {
    return this.#clients.count + this.#spaces.count
  }

  /** Undefined: the budget, or the share of the client or of the space, is spent. */
  admit(request: { client: string; space: string; bytes: number }): Grant | undefined {
    const { client, space, bytes } = request
    const total = this.#total
    const isFull =
      total.operations >= this.#limits.operationsMax ||
      total.bytes + bytes > this.#limits.bytesMax ||
      this.#isSpent(this.#clients.peek(client), bytes) ||
      this.#isSpent(this.#spaces.peek(space), bytes)
    if (isFull) {
      this.#refusedCount += 1
      return undefined
    }
    return this.#grant(client, space, bytes)
  }

  #isSpent(load: Load | undefined, bytes: number): boolean {
    if (!load) return false
    return load.operations >= this.#shareOf.operations || load.bytes + bytes > this.#shareOf.bytes
  }

  #grant(client: string, space: string, bytes: number): Grant {
    const total = this.#total
    const held: Load = { operations: 1, bytes, streams: 0 }
    let shares = this.#clients
    let name = client
    let load = shares.get(name)
    add(total, held, 1)
    add(load, held, 1)
    const leave = (): void => {
      add(load, held, -1)
      shares.forgetIfIdle(name, load)
    }
    return {
      confirm: () => {
        if (held.operations === 0 || shares === this.#spaces) return
        leave()
        shares = this.#spaces
        name = space
        load = shares.get(name)
        add(load, held, 1)
      },
      openStream: (windowBytes) => {
        const window: Load = { operations: 0, bytes: windowBytes, streams: 1 }
        if (!this.#fitsStream(load, window)) {
          this.#refusedCount += 1
          return false
        }
        add(total, window, 1)
        add(load, window, 1)
        add(held, window, 1)
        return true
      },
      hold: (bytesMore) => {
        if (held.operations === 0) return
        const more: Load = { operations: 0, bytes: bytesMore, streams: 0 }
        add(total, more, 1)
        add(load, more, 1)
        add(held, more, 1)
      },
      release: () => {
        if (held.operations === 0) return
        add(total, held, -1)
        leave()
        held.operations = 0
      },
    }
  }

  #fitsStream(load: Load, window: Load): boolean {
    return (
      this.#total.streams < this.#limits.streamsMax &&
      load.streams < this.#shareOf.streams &&
      this.#total.bytes + window.bytes <= this.#limits.bytesMax &&
      load.bytes + window.bytes <= this.#shareOf.bytes
    )
  }
}

function add(load: Load, change: Load, sign: 1 | -1): void {
  load.operations += sign * change.operations
  load.bytes += sign * change.bytes
  load.streams += sign * change.streams
}
