/**
 * Signatures of contract wallets (CACAO-4, EIP-1271): only the contract at the account's address knows whether a
 * signature is its own, and it may change its mind. So it is asked, on a server that the operator named for its chain,
 * and what it says is believed for a named time.
 */
import { toHex, utf8 } from '../../protocol/bytes.ts'
import { blake3 } from '../../protocol/crypto/blake3.ts'
import { type ContractSignature } from '../../protocol/inquiry.ts'
import { AnswerCache, type TimedAnswer, type TOO_MANY_FLIGHTS } from './answer-cache.ts'
import { NetworkFault } from './ask-host.ts'
import { EthereumRpc } from './ethereum-rpc.ts'

/** Of each question to a server. */
const RPC_TIMEOUT_MS = 3000
/** A signature that its contract no longer takes counts this much longer at most, for tokens that arrive then. */
const VALID_LIFETIME_MS = 60_000
/** So long a refused signature is not asked about again. */
const INVALID_LIFETIME_MS = 30_000
/** A server that did not answer is left alone about this signature for so long. */
const FAULT_LIFETIME_MS = 2000
const VERDICTS_MAX = 10_000
const FLIGHTS_MAX = 16

/** `isValidSignature(bytes32,bytes)`: its selector is also what it returns for yes, filled up to a word. */
const SELECTOR = '1626ba7e'
const WORD_DIGITS = 64
const MAGIC_WORD: string = SELECTOR.padEnd(WORD_DIGITS, '0')
/** Where the bytes begin among the arguments: after two words. */
const BYTES_OFFSET = 64

/** unreachable: nobody can tell now. */
export type ContractVerdict = 'valid' | 'invalid' | 'unreachable'

export interface ContractSignaturesParts {
  /** URLs of JSON-RPC servers by the decimal id of their chain. They may hold keys, so they are never logged. */
  readonly rpcUrls: ReadonlyMap<string, string>
  readonly nowMs: () => number
  /** The server of a chain did not answer, or not as it must. */
  readonly onFault: (chainId: string, fault: NetworkFault) => void
  readonly timeoutMs?: number
}

export class ContractSignatures {
  readonly #parts: ContractSignaturesParts
  readonly #servers: ReadonlyMap<string, EthereumRpc>
  readonly #verdicts: AnswerCache<ContractVerdict>

  constructor(parts: ContractSignaturesParts) {
    const { rpcUrls, nowMs, timeoutMs = RPC_TIMEOUT_MS } = parts
    this.#parts = parts
    this.#servers = new Map(
      [...rpcUrls].map(([chainId, url]): [string, EthereumRpc] => [
        chainId,
        new EthereumRpc({ url: new URL(url), chainId, timeoutMs }),
      ]),
    )
    this.#verdicts = new AnswerCache({ entriesMax: VERDICTS_MAX, flightsMax: FLIGHTS_MAX, nowMs })
  }

  /** Decimal ids of the chains that can be asked. */
  get chains(): readonly string[] {
    return [...this.#servers.keys()]
  }

  /** Never rejects. */
  verify(
    signature: ContractSignature,
    client: string,
  ): Promise<ContractVerdict | typeof TOO_MANY_FLIGHTS> {
    return this.#verdicts.get({ subject: nameOf(signature), client }, () => this.#ask(signature))
  }

  close(): void {
    for (const server of this.#servers.values()) server.close()
  }

  async #ask(signature: ContractSignature): Promise<TimedAnswer<ContractVerdict>> {
    const { chainId, address } = signature
    const server = this.#servers.get(chainId)
    if (!server) return { value: 'invalid', lifetimeMs: INVALID_LIFETIME_MS }
    try {
      const returned = await server.call(address, formatCall(signature))
      // An account without contract returns nothing.
      return returned?.slice(0, WORD_DIGITS) === MAGIC_WORD
        ? { value: 'valid', lifetimeMs: VALID_LIFETIME_MS }
        : { value: 'invalid', lifetimeMs: INVALID_LIFETIME_MS }
    } catch (error) {
      if (!(error instanceof NetworkFault)) throw error
      this.#parts.onFault(chainId, error)
      return { value: 'unreachable', lifetimeMs: FAULT_LIFETIME_MS }
    }
  }
}

/** The arguments in the contract ABI: selector, hash, offset of the bytes, their length, and they filled up to a word. */
function formatCall({ hash, signature }: ContractSignature): string {
  const digits = toHex(signature)
  const padded = digits.padEnd(Math.ceil(digits.length / WORD_DIGITS) * WORD_DIGITS, '0')
  return [
    SELECTOR,
    toHex(hash),
    formatWord(BYTES_OFFSET),
    formatWord(signature.length),
    padded,
  ].join('')
}

const formatWord = (value: number): string => value.toString(16).padStart(WORD_DIGITS, '0')

/** Two questions are the same if all of it is. */
function nameOf({ chainId, address, hash, signature }: ContractSignature): string {
  return toHex(blake3(utf8([chainId, address, toHex(hash), toHex(signature)].join(' '))))
}
