/**
 * The parts of a batch put against the keys that were signed: each key has one part, and each part is of a signed key.
 * Names and headers are looked at when a part begins, before its bytes are taken.
 */
import { parseUtf8 } from '../../../protocol/bytes.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { BATCH_METADATA_BYTES_MAX } from '../../../protocol/limits.ts'
import { type StagedValue } from '../../blocks/place.ts'
import { type StoredHeaders, storedHeaders } from '../invoke/metadata.ts'
import { type StagedPut } from './body-form.ts'
import { type PartHeaders } from './form-parser.ts'
import { readHeaderParameters } from './header-parameters.ts'

/** Says how a part belongs to its form; not what it holds. */
const DISPOSITION = 'content-disposition'

const refusal = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

export class SignedParts {
  readonly #keys: readonly string[]
  readonly #indexes: ReadonlyMap<string, number>
  readonly #begun = new Set<number>()
  readonly #puts: (StagedPut | undefined)[]
  /** The part that is arriving. */
  #current: { readonly index: number; readonly headers: StoredHeaders } | undefined
  #metadataBytes = 0

  /** @param keys distinct, in the order of the operations */
  constructor(keys: readonly string[]) {
    this.#keys = keys
    this.#indexes = new Map(keys.map((key, index) => [key, index]))
    this.#puts = keys.map(() => undefined)
  }

  /**
   * Rule: BATCH-3, BATCH-4.
   * @throws {ProtocolError} OPTION_INVALID | METADATA_TOO_LARGE
   */
  begin(partHeaders: PartHeaders): void {
    const key = parsePartName(partHeaders)
    const index = this.#indexes.get(key)
    if (index === undefined)
      throw refusal(`Multipart KV part ${key} is not authorized by the invocation`)
    if (this.#begun.has(index)) throw refusal(`Duplicate multipart KV part for path ${key}`)
    this.#begun.add(index)
    const kept = partHeaders.filter(([name]) => name !== DISPOSITION)
    const headers = storedHeaders({ headers: kept })
    for (const [name, value] of headers) this.#metadataBytes += name.length + value.length
    if (this.#metadataBytes > BATCH_METADATA_BYTES_MAX)
      throw new ProtocolError('METADATA_TOO_LARGE', String(BATCH_METADATA_BYTES_MAX))
    this.#current = { index, headers }
  }

  /** The value of the part that began last. */
  end(value: StagedValue): void {
    if (!this.#current) throw new Error('a part ends that has not begun')
    this.#puts[this.#current.index] = { headers: this.#current.headers, value }
    this.#current = undefined
  }

  /**
   * One put for each key, in their order.
   *
   * Rule: BATCH-3.
   * @throws {ProtocolError} OPTION_INVALID
   */
  finish(): StagedPut[] {
    const missing = this.#keys.filter((_, index) => !this.#puts[index])
    if (missing.length > 0)
      throw refusal(`Missing multipart KV parts for signed paths: ${missing.join(', ')}`)
    return this.#puts.filter((put) => put !== undefined)
  }
}

/**
 * The key that the part names: percent-encoded, and decoded once.
 * @throws {ProtocolError} OPTION_INVALID
 */
function parsePartName(headers: PartHeaders): string {
  const disposition = headers.find(([name]) => name === DISPOSITION)?.[1] ?? ''
  const { type, parameters } = readHeaderParameters(disposition)
  const name = parameters.get('name')
  if (type !== 'form-data' || name === undefined)
    throw refusal('Multipart KV part is missing a field name')
  const decoded = name.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  try {
    return parseUtf8(Buffer.from(decoded, 'latin1'))
  } catch {
    throw refusal(`Multipart KV part name is not valid percent-encoded UTF-8: ${name}`)
  }
}
