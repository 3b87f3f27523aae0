/** One JSON-RPC server of an Ethereum chain, asked to run a contract without changing anything (`eth_call`). */
import { claim, isClaimsObject } from '../../protocol/claims.ts'
import { askHost, NetworkFault } from './ask-host.ts'

/** Of an answer in JSON; a verdict takes some hundred bytes. */
const ANSWER_BYTES_MAX: number = 64 * 1024

/** Codes with which servers say that the contract itself gave up. */
const REVERTED = new Set([3, -32_015])
const REVERTED_TEXT = /revert/i
const NUMBER_IN_HEX = /^0x[0-9a-fA-F]{1,64}$/
const BYTES_IN_HEX = /^0x(?:[0-9a-fA-F]{2})*$/

export interface EthereumRpcOptions {
  readonly url: URL
  /** Decimal. A server of another chain would speak about other contracts, so it is not believed. */
  readonly chainId: string
  /** For each question. */
  readonly timeoutMs: number
}

export class EthereumRpc {
  readonly #options: EthereumRpcOptions
  readonly #closing = new AbortController()
  #isOfChain = false

  constructor(options: EthereumRpcOptions) {
    this.#options = options
  }

  /**
   * What the contract returns, in hexadecimal digits without `0x`; undefined: it gave up.
   *
   * Shape: `data` in hexadecimal digits without `0x`.
   * @throws {NetworkFault}
   */
  async call(address: string, data: string): Promise<string | undefined> {
    await this.#assertChain()
    const answer = await this.#ask('eth_call', [{ to: address, data: `0x${data}` }, 'latest'])
    if (answer.kind === 'error') {
      if (REVERTED.has(answer.code) || REVERTED_TEXT.test(answer.message)) return undefined
      throw new NetworkFault(`the server answered with error ${answer.code}`)
    }
    const { result } = answer
    if (typeof result !== 'string' || !BYTES_IN_HEX.test(result))
      throw new NetworkFault('an answer that is no bytes')
    return result.slice('0x'.length).toLowerCase()
  }

  close(): void {
    this.#closing.abort()
  }

  /** Once: a server does not change its chain. */
  async #assertChain(): Promise<void> {
    if (this.#isOfChain) return
    const { chainId } = this.#options
    const answer = await this.#ask('eth_chainId', [])
    const said = answer.kind === 'result' ? answer.result : undefined
    if (typeof said !== 'string' || !NUMBER_IN_HEX.test(said) || BigInt(said) !== BigInt(chainId))
      throw new NetworkFault(`the server is not one of chain ${chainId}`)
    this.#isOfChain = true
  }

  async #ask(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    const question = { jsonrpc: '2.0', id: 1, method, params }
    const { status, body } = await askHost({
      url: this.#options.url,
      accept: 'application/json',
      body: Buffer.from(JSON.stringify(question)),
      timeoutMs: this.#options.timeoutMs,
      answerBytesMax: ANSWER_BYTES_MAX,
      signal: this.#closing.signal,
    })
    if (status !== 200) throw new NetworkFault(`the server answered ${status}`)
    return parseAnswer(body)
  }
}

type RpcAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }

/** @throws {NetworkFault} */
function parseAnswer(body: Uint8Array): RpcAnswer {
  const answer = parseJson(body)
  if (!isClaimsObject(answer)) throw new NetworkFault('an answer that is no JSON-RPC')
  const error = claim(answer, 'error')
  if (!isClaimsObject(error)) return { kind: 'result', result: claim(answer, 'result') }
  const message = claim(error, 'message')
  return {
    kind: 'error',
    code: Number(claim(error, 'code')),
    message: typeof message === 'string' ? message : '',
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString())
  } catch (cause) {
    throw new NetworkFault('an answer that is no JSON', { cause })
  }
}
