/**
 * The door to other hosts: asks what a token raises, and adds the answer to those that it has (DESIGN §2). What was not
 * configured is never asked.
 */
import { type Failure } from '../../protocol/answer.ts'
import { type Askable, type Inquiry, type NetworkAnswers } from '../../protocol/inquiry.ts'
import { type Allowlist } from './allowlist.ts'
import { TOO_MANY_FLIGHTS } from './answer-cache.ts'
import { type ContractSignatures } from './contract-signatures.ts'
import { type WebKeys } from './web-keys.ts'

/** Each is absent unless it is configured. */
export interface NetworkParts {
  readonly allowlist?: Allowlist | undefined
  readonly webKeys?: WebKeys | undefined
  readonly contracts?: ContractSignatures | undefined
}

export interface Asking {
  /** The address of who sent the token. */
  readonly client: string
  /** What was asked about the same token before. */
  readonly known: NetworkAnswers
}

export type Asked =
  | { readonly ok: true; readonly answers: NetworkAnswers }
  | { readonly ok: false; readonly failure: Failure }

const BUSY: Asked = { ok: false, failure: { code: 'NODE_BUSY', detail: '' } }
/** Of a server that the operator named: the client did nothing wrong, and may try again. */
const UNREACHABLE: Asked = { ok: false, failure: { code: 'ETHEREUM_UNAVAILABLE', detail: '' } }

export class Network {
  readonly #parts: NetworkParts

  constructor(parts: NetworkParts) {
    this.#parts = parts
  }

  get askable(): Askable {
    const { allowlist, webKeys, contracts } = this.#parts
    return {
      hosting: allowlist !== undefined,
      webKeys: webKeys !== undefined,
      contractChains: contracts?.chains ?? [],
    }
  }

  /** Asks, unless the answer is known. */
  async ask(inquiry: Inquiry, { client, known }: Asking): Promise<Asked> {
    switch (inquiry.kind) {
      case 'hosting': {
        const isHostingAllowed = await this.#parts.allowlist?.isAllowed({ ...inquiry, client })
        if (isHostingAllowed === TOO_MANY_FLIGHTS) return BUSY
        return { ok: true, answers: { ...known, isHostingAllowed: isHostingAllowed ?? false } }
      }
      case 'webKey': {
        const webKey = await this.#parts.webKeys?.find({ ...inquiry, client })
        if (webKey === TOO_MANY_FLIGHTS) return BUSY
        return { ok: true, answers: { ...known, webKey: webKey ?? null } }
      }
      case 'contractSignature': {
        const verdict = await this.#parts.contracts?.verify(inquiry, client)
        if (verdict === TOO_MANY_FLIGHTS) return BUSY
        if (verdict === 'unreachable') return UNREACHABLE
        return { ok: true, answers: { ...known, isContractSignature: verdict === 'valid' } }
      }
    }
  }

  /** Ends every question that is on its way. */
  close(): void {
    this.#parts.allowlist?.close()
    this.#parts.webKeys?.close()
    this.#parts.contracts?.close()
  }
}
