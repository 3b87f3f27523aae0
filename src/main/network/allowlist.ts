/**
 * The allowlist of spaces (HOST-4, DESIGN §7.5): a server of the operator's that knows which spaces this node may host.
 *
 * GET `‹url›/‹CID›`, the CID being CIDv1, raw, BLAKE3-256, base58btc, of the space id in UTF-8, its address in EIP-55
 * spelling. Only 2xx with the space id as body means yes. Everything else, no answer included, means no.
 */
import { utf8 } from '../../protocol/bytes.ts'
import { formatCid, RAW_CODEC } from '../../protocol/cid.ts'
import { blake3 } from '../../protocol/crypto/blake3.ts'
import { SPACE_ID_BYTES_MAX } from '../../protocol/limits.ts'
import { AnswerCache, type TimedAnswer, type TOO_MANY_FLIGHTS } from './answer-cache.ts'
import { askHost, NetworkFault } from './ask-host.ts'

/** From the question to the last byte of the answer. */
const ALLOWLIST_TIMEOUT_MS = 5000
/** A space that was on the list may be hosted for this long. */
const ALLOWED_LIFETIME_MS = 60_000
/** A space that was added is hosted this much later at most. */
const REFUSED_LIFETIME_MS = 10_000
/** A server that did not answer is left alone about this space for so long. */
const FAULT_LIFETIME_MS = 2000
const ANSWERS_MAX = 10_000
const FLIGHTS_MAX = 32
/** The space id and a line end. */
const ANSWER_BYTES_MAX: number = SPACE_ID_BYTES_MAX + 2

export interface AllowlistParts {
  /** http: or https:, without query and fragment. */
  readonly url: URL
  readonly nowMs: () => number
  /** The server did not answer, or not in time. */
  readonly onFault: (fault: NetworkFault) => void
  readonly timeoutMs?: number
}

export class Allowlist {
  readonly #parts: AllowlistParts
  readonly #closing = new AbortController()
  readonly #answers: AnswerCache<boolean>

  constructor(parts: AllowlistParts) {
    this.#parts = parts
    this.#answers = new AnswerCache({
      entriesMax: ANSWERS_MAX,
      flightsMax: FLIGHTS_MAX,
      nowMs: parts.nowMs,
    })
  }

  /** Whether this node may host the space, its id in EIP-55 spelling. Never rejects. */
  isAllowed({
    space,
    client,
  }: {
    readonly space: string
    readonly client: string
  }): Promise<boolean | typeof TOO_MANY_FLIGHTS> {
    return this.#answers.get({ subject: space, client }, () => this.#ask(space))
  }

  close(): void {
    this.#closing.abort()
  }

  async #ask(space: string): Promise<TimedAnswer<boolean>> {
    try {
      const { status, body } = await askHost({
        url: urlOfSpace(this.#parts.url, space),
        accept: 'text/plain, */*;q=0.1',
        timeoutMs: this.#parts.timeoutMs ?? ALLOWLIST_TIMEOUT_MS,
        answerBytesMax: ANSWER_BYTES_MAX,
        signal: this.#closing.signal,
      })
      if (status >= 500) throw new NetworkFault(`the allowlist answered ${status}`)
      const isAllowed = namesSpace(body, space)
      return { value: isAllowed, lifetimeMs: isAllowed ? ALLOWED_LIFETIME_MS : REFUSED_LIFETIME_MS }
    } catch (error) {
      if (!(error instanceof NetworkFault)) throw error
      this.#parts.onFault(error)
      return { value: false, lifetimeMs: FAULT_LIFETIME_MS }
    }
  }
}

/** `‹url›/‹CID›`, whether or not the url ends in a slash. */
export function urlOfSpace(base: URL, space: string): URL {
  const url = new URL(base)
  const cid = formatCid(RAW_CODEC, blake3(utf8(space)), 'base58btc')
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${cid}`
  return url
}

/** The space id and nothing else; one line end, with which files end, is no difference. An empty body names no space. */
const namesSpace = (body: Uint8Array, space: string): boolean =>
  Buffer.from(body)
    .toString('latin1')
    .replace(/\r?\n$/, '') === space
