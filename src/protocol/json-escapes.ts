/// <reference lib="es2024.string" />
/**
 * JSON that has escapes, read without the object reader of `JSON.parse`.
 *
 * V8 from 12.8 on (Node 24 and later) may read an escaped member name as another name that was met before: once some
 * object had the members `a` and `\`, it reads `{"a":1,"\u0061":2}` as `a` and `\` (nodejs/node#63785). What a token
 * says would depend on the tokens before it. Texts and numbers, each on their own, it reads rightly.
 */
import { ProtocolError } from './error.ts'

const BACKSLASH = 0x5c
const BYTE_ORDER_MARK = '\ufeff'
const BLANKS = /[ \t\n\r]*/y
/** Numbers, `true`, `false`, `null`, and what is none of them. */
const LITERAL = /[^ \t\n\r,\]}]+/y

/**
 * The value of a JSON text, by the rules of `parseStrictJson`.
 * @throws {ProtocolError} TOKEN_MALFORMED
 */
export function parseEscapedJson(text: string, depthMax: number): unknown {
  return new Reader(text).whole(depthMax)
}

/** The quote that closes the text opened at `open`; -1: none. */
function closingQuote(text: string, open: number): number {
  let close = text.indexOf('"', open + 1)
  while (close !== -1 && isEscaped(text, close)) close = text.indexOf('"', close + 1)
  return close
}

/** An odd number of backslashes stands before the quote. */
function isEscaped(text: string, quote: number): boolean {
  let start = quote
  while (text.charCodeAt(start - 1) === BACKSLASH) start--
  return (quote - start) % 2 === 1
}

class Reader {
  readonly #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(depthMax: number): unknown {
    const value = this.#value(depthMax)
    this.#skipBlanks()
    if (this.#offset < this.#text.length) throw malformed('text after the value')
    return value
  }

  #value(depthLeft: number): unknown {
    this.#skipBlanks()
    const first = this.#text[this.#offset]
    if (first === '"') return this.#string()
    if (first !== '{' && first !== '[') return this.#literal()
    if (depthLeft === 0) throw malformed('nested too deeply')
    return first === '{' ? this.#object(depthLeft - 1) : this.#array(depthLeft - 1)
  }

  #object(depthLeft: number): unknown {
    const members = new Map<string, unknown>()
    this.#items('}', () => {
      this.#skipBlanks()
      const name = this.#string()
      if (members.has(name)) throw malformed('duplicate member name')
      this.#skipBlanks()
      this.#take(':')
      members.set(name, this.#value(depthLeft))
    })
    return Object.fromEntries(members)
  }

  #array(depthLeft: number): unknown[] {
    const items: unknown[] = []
    this.#items(']', () => items.push(this.#value(depthLeft)))
    return items
  }

  /** From the bracket that opens to the one that closes. */
  #items(close: string, readItem: () => void): void {
    this.#offset++
    this.#skipBlanks()
    if (this.#isNext(close)) {
      this.#offset++
      return
    }
    for (;;) {
      readItem()
      this.#skipBlanks()
      if (!this.#isNext(',')) break
      this.#offset++
    }
    this.#take(close)
  }

  #string(): string {
    const open = this.#offset
    const close = this.#isNext('"') ? closingQuote(this.#text, open) : -1
    if (close === -1) throw malformed('not JSON')
    this.#offset = close + 1
    const value = String(parseNative(this.#text.slice(open, close + 1)))
    if (!value.isWellFormed()) throw malformed('lone surrogate')
    if (value.startsWith(BYTE_ORDER_MARK)) throw malformed('byte order mark')
    return value
  }

  #literal(): unknown {
    LITERAL.lastIndex = this.#offset
    const [literal = ''] = LITERAL.exec(this.#text) ?? []
    this.#offset += literal.length
    const value = parseNative(literal)
    if (typeof value === 'number' && !Number.isFinite(value)) throw malformed('number out of range')
    return value
  }

  #skipBlanks(): void {
    BLANKS.lastIndex = this.#offset
    BLANKS.test(this.#text)
    this.#offset = BLANKS.lastIndex
  }

  #isNext(character: string): boolean {
    return this.#text[this.#offset] === character
  }

  #take(character: string): void {
    if (!this.#isNext(character)) throw malformed('not JSON')
    this.#offset++
  }
}

/** For one text or literal: never for an object. */
function parseNative(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw malformed('not JSON', cause)
  }
}

const malformed = (detail: string, cause?: unknown): ProtocolError =>
  new ProtocolError('TOKEN_MALFORMED', detail, { cause })
