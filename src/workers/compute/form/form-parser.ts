/**
 * multipart/form-data as it arrives (RFC 7578, RFC 2046 §5.1): heads of parts, their bytes, their ends. Whatever the
 * pieces are cut into, the same events come, and the same refusal. It holds no more than the undecided end of a piece.
 *
 * Strict: lines end in CRLF, header lines are not folded, a line that begins with the delimiter is a delimiter, and the
 * closing delimiter must come. What stands before the first delimiter and after the last one is dropped.
 */
import { ProtocolError } from '../../../protocol/error.ts'
import { PART_HEAD_BYTES_MAX } from '../../../protocol/limits.ts'

/** Names in lower case, values as Latin-1 text, in the order received. */
export type PartHeaders = readonly (readonly [name: string, value: string])[]

export type FormEvent =
  | { readonly kind: 'part'; readonly headers: PartHeaders }
  /** The next bytes of the part; never none. Borrowed: they are a view. */
  | { readonly kind: 'data'; readonly bytes: Uint8Array }
  | { readonly kind: 'end' }

type State = 'preamble' | 'delimiter' | 'head' | 'data' | 'epilogue'

const HEAD_END = Buffer.from('\r\n\r\n')
const CRLF = Buffer.from('\r\n')
const CLOSING = Buffer.from('--')
const SPACE = 0x20
const TAB = 0x09

const refusal = (text: string): ProtocolError => new ProtocolError('OPTION_INVALID', text)

export class FormParser {
  readonly #delimiter: Buffer
  /** Received and not decided; the first delimiter may be the first line. */
  #bytes: Buffer = CRLF
  #at = 0
  #state: State = 'preamble'

  /** @param boundary 1 to FORM_BOUNDARY_CHARS_MAX characters of ASCII */
  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  }

  /**
   * Borrowed: the piece, until the events are taken. Take all of them before the next piece.
   *
   * Rule: BATCH-6.
   * @throws {ProtocolError} OPTION_INVALID
   */
  *push(piece: Uint8Array): Generator<FormEvent, void> {
    this.#bytes = Buffer.concat([this.#bytes, piece])
    this.#at = 0
    for (let isMoving = true; isMoving;) {
      switch (this.#state) {
        case 'preamble':
        case 'data':
          isMoving = yield* this.#passBytes()
          break
        case 'delimiter':
          isMoving = this.#passDelimiter()
          break
        case 'head':
          isMoving = yield* this.#passHead()
          break
        case 'epilogue':
          this.#at = this.#bytes.length
          isMoving = false
          break
      }
    }
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#at))
  }

  /** @throws {ProtocolError} OPTION_INVALID when the closing delimiter has not come */
  finish(): void {
    if (this.#state !== 'epilogue') throw refusal('Multipart body ends too early')
  }

  /** Up to the next delimiter. What could be the begin of one stays. */
  *#passBytes(): Generator<FormEvent, boolean> {
    const found = this.#bytes.indexOf(this.#delimiter, this.#at)
    const isFound = found >= 0
    const end = isFound
      ? found
      : Math.max(this.#at, this.#bytes.length - this.#delimiter.length + 1)
    if (this.#state === 'data') {
      if (end > this.#at) yield { kind: 'data', bytes: this.#bytes.subarray(this.#at, end) }
      if (isFound) yield { kind: 'end' }
    }
    this.#at = isFound ? end + this.#delimiter.length : end
    if (isFound) this.#state = 'delimiter'
    return isFound
  }

  /** What follows a delimiter on its line: two dashes, or nothing but blanks. */
  #passDelimiter(): boolean {
    let end = this.#at
    while (this.#bytes[end] === SPACE || this.#bytes[end] === TAB) end += 1
    if (end - this.#at > PART_HEAD_BYTES_MAX) throw refusal('Malformed multipart body')
    if (this.#bytes.length < end + CRLF.length) return false
    const next = this.#bytes.subarray(end, end + CRLF.length)
    if (next.equals(CRLF)) {
      // The line's end stays: of a part without headers it is half of the head's end.
      this.#at = end
      this.#state = 'head'
    } else if (next.equals(CLOSING) && end === this.#at) {
      this.#state = 'epilogue'
    } else {
      throw refusal('Malformed multipart body')
    }
    return true
  }

  *#passHead(): Generator<FormEvent, boolean> {
    const found = this.#bytes.indexOf(HEAD_END, this.#at)
    const end = found < 0 ? this.#bytes.length - HEAD_END.length : found
    if (end - this.#at > PART_HEAD_BYTES_MAX)
      throw refusal(`Multipart KV part headers exceed ${PART_HEAD_BYTES_MAX} bytes`)
    if (found < 0) return false
    const lines = this.#bytes.toString('latin1', Math.min(this.#at + CRLF.length, found), found)
    this.#at = found + HEAD_END.length
    this.#state = 'data'
    yield { kind: 'part', headers: parsePartHeaders(lines) }
    return true
  }
}

/** @throws {ProtocolError} OPTION_INVALID */
function parsePartHeaders(lines: string): PartHeaders {
  if (lines === '') return []
  return lines.split('\r\n').map((line) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):([^\r\n\0]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw refusal('Malformed headers of a multipart KV part')
    return [name.toLowerCase(), trimBlanks(value)]
  })
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t'

/** Without the blanks around it, and nothing else. */
function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (isBlank(text[start])) start += 1
  while (end > start && isBlank(text[end - 1])) end -= 1
  return text.slice(start, end)
}
