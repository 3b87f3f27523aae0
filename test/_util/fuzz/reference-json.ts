/** JSON once more, read the slow and plain way (RFC 8259), as an oracle for the reader of the node. */

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const BLANKS = /[ \t\n\r]*/y
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const LITERALS: readonly (readonly [text: string, value: unknown])[] = [
  ['null', null],
  ['true', true],
  ['false', false],
]

/** The value; undefined for what is not JSON, has a name twice, nests deeper, or holds no Unicode text or finite number. */
export function readJson(text: string, depthMax: number): { readonly value: unknown } | undefined {
  const reader = new JsonReader(text, depthMax)
  try {
    return { value: reader.whole() }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

class JsonReader {
  readonly #text: string
  readonly #depthMax: number
  #at = 0

  constructor(text: string, depthMax: number) {
    this.#text = text
    this.#depthMax = depthMax
  }

  whole(): unknown {
    const value = this.#value(0)
    this.#blanks()
    if (this.#at !== this.#text.length) throw new SyntaxError('more')
    return value
  }

  #value(depth: number): unknown {
    this.#blanks()
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{') return this.#object(depth + 1)
    if (first === '[') return this.#array(depth + 1)
    for (const [literal, value] of LITERALS) {
      if (!this.#text.startsWith(literal, this.#at)) continue
      this.#at += literal.length
      return value
    }
    return this.#number()
  }

  #object(depth: number): unknown {
    const members = new Map<string, unknown>()
    this.#items('{', '}', depth, () => {
      this.#blanks()
      const name = this.#string()
      if (members.has(name)) throw new SyntaxError('twice')
      this.#blanks()
      this.#take(':')
      members.set(name, this.#value(depth))
    })
    return Object.fromEntries(members)
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = []
    this.#items('[', ']', depth, () => items.push(this.#value(depth)))
    return items
  }

  #items(open: string, close: string, depth: number, readItem: () => void): void {
    if (depth > this.#depthMax) throw new SyntaxError('deep')
    this.#take(open)
    this.#blanks()
    if (this.#text[this.#at] === close) {
      this.#take(close)
      return
    }
    for (;;) {
      readItem()
      this.#blanks()
      if (this.#text[this.#at] !== ',') break
      this.#take(',')
    }
    this.#take(close)
  }

  #string(): string {
    this.#take('"')
    let value = ''
    for (;;) {
      const character = this.#text[this.#at++]
      if (character === undefined || character < ' ') throw new SyntaxError('string')
      if (character === '"') break
      value += character === '\\' ? this.#escape() : character
    }
    if (!value.isWellFormed()) throw new SyntaxError('surrogate')
    if (value.startsWith('\ufeff')) throw new SyntaxError('byte order mark')
    return value
  }

  #escape(): string {
    const kind = this.#text[this.#at++] ?? ''
    if (kind !== 'u') {
      const plain = Object.hasOwn(ESCAPES, kind) ? ESCAPES[kind] : undefined
      if (plain === undefined) throw new SyntaxError('escape')
      return plain
    }
    const digits = this.#text.slice(this.#at, this.#at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new SyntaxError('escape')
    this.#at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  #number(): number {
    const value = Number(this.#match(NUMBER))
    if (!Number.isFinite(value)) throw new SyntaxError('number')
    return value
  }

  #blanks(): void {
    this.#match(BLANKS)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found === undefined) throw new SyntaxError('unexpected')
    this.#at += found.length
    return found
  }

  #take(character: string): void {
    if (this.#text[this.#at] !== character) throw new SyntaxError(`no ${character}`)
    this.#at++
  }
}
