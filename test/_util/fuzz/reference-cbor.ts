/** Canonical DAG-CBOR once more, judged byte by byte as its specification has it, as an oracle for the reader of the node. */
import { compareBytes } from '../../../src/protocol/bytes.ts'

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6 } as const
const LINK_TAG = 42n
const FALSE = 0xf4
const NULL = 0xf6
const FLOAT_64 = 0xfb
const SAFE_BITS_MAX = 64n

export type CborVerdict =
  | 'canonical'
  /** A float that is a whole number: JavaScript cannot tell it from that integer. */
  | 'whole float'
  | 'refused'

/** What a strict reader says of the bytes. `isLink` judges the bytes of a CID. */
export function judgeCbor(
  bytes: Uint8Array,
  depthMax: number,
  isLink: (cid: Uint8Array) => boolean,
): CborVerdict {
  const judge = new Judge(bytes, depthMax, isLink)
  try {
    judge.item(0)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return 'refused'
    throw error
  }
  if (!judge.isAtEnd) return 'refused'
  return judge.hasWholeFloat ? 'whole float' : 'canonical'
}

class Judge {
  hasWholeFloat = false
  readonly #bytes: Buffer
  readonly #depthMax: number
  readonly #isLink: (cid: Uint8Array) => boolean
  #at = 0

  constructor(bytes: Uint8Array, depthMax: number, isLink: (cid: Uint8Array) => boolean) {
    this.#bytes = Buffer.from(bytes)
    this.#depthMax = depthMax
    this.#isLink = isLink
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  item(depth: number): void {
    const first = this.#bytes.readUInt8(this.#at)
    if (first >= 0xe0) return this.#simple(first)
    const major = first >> 5
    const argument = this.#argument()
    if (major === MAJOR.bytes) this.#take(argument)
    else if (major === MAJOR.text) this.#utf8(argument)
    else if (major === MAJOR.tag) this.#link(argument)
    else if (major === MAJOR.array || major === MAJOR.map) {
      if (depth === this.#depthMax) throw new SyntaxError('deep')
      if (argument > this.#bytes.length) throw new SyntaxError('more than there is')
      if (major === MAJOR.map) this.#map(argument, depth + 1)
      else for (let left = argument; left > 0n; left--) this.item(depth + 1)
    }
    return undefined
  }

  #simple(first: number): void {
    this.#at++
    if (first >= FALSE && first <= NULL) return
    if (first !== FLOAT_64) throw new SyntaxError('kind')
    const value = this.#bytes.readDoubleBE(this.#at)
    if (!Number.isFinite(value)) throw new SyntaxError('float')
    if (Number.isInteger(value)) this.hasWholeFloat = true
    this.#at += 8
  }

  #argument(): bigint {
    const info = this.#bytes.readUInt8(this.#at++) & 0x1f
    if (info < 24) return BigInt(info)
    if (info > 27) throw new SyntaxError('length')
    const size = 1 << (info - 24)
    let value = 0n
    for (let index = 0; index < size; index++)
      value = (value << 8n) | BigInt(this.#bytes.readUInt8(this.#at++))
    const smaller = size === 1 ? 24n : 1n << ((BigInt(size) * 8n) / 2n)
    if (value < smaller || value >= 1n << SAFE_BITS_MAX) throw new SyntaxError('not the shortest')
    return value
  }

  #take(lengthBytes: bigint): Buffer {
    const end = this.#at + Number(lengthBytes)
    if (end > this.#bytes.length) throw new SyntaxError('cut off')
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  #utf8(lengthBytes: bigint): Buffer {
    const taken = this.#take(lengthBytes)
    // Canonical, and refused all the same: the library would drop it.
    if (taken.toString('utf8').startsWith('\ufeff')) throw new SyntaxError('byte order mark')
    try {
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(taken)
    } catch (cause) {
      throw new SyntaxError('not UTF-8', { cause })
    }
    return taken
  }

  #map(count: bigint, depth: number): void {
    let previous: Buffer | undefined
    for (let left = count; left > 0n; left--) {
      if (this.#bytes.readUInt8(this.#at) >> 5 !== MAJOR.text) throw new SyntaxError('key')
      const key = this.#utf8(this.#argument())
      if (previous && !isBefore(previous, key)) throw new SyntaxError('order')
      previous = key
      this.item(depth)
    }
  }

  #link(tag: bigint): void {
    if (tag !== LINK_TAG || this.#bytes.readUInt8(this.#at) >> 5 !== MAJOR.bytes)
      throw new SyntaxError('tag')
    const content = this.#take(this.#argument())
    if (content[0] !== 0 || !this.#isLink(content.subarray(1))) throw new SyntaxError('link')
  }
}

/** The order of keys: by length, then by bytes. */
function isBefore(a: Uint8Array, b: Uint8Array): boolean {
  return a.length < b.length || (a.length === b.length && compareBytes(a, b) < 0)
}
