/** multipart/form-data in any pieces: what comes out, and what is refused. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FORM_BOUNDARY_CHARS_MAX, PART_HEAD_BYTES_MAX } from '../../../../src/protocol/limits.ts'
import { parseBoundary } from '../../../../src/workers/compute/form/body-form.ts'
import { FormParser, type PartHeaders } from '../../../../src/workers/compute/form/form-parser.ts'
import { refusalOf } from '../../../_util/credentials.ts'
import { BOUNDARY, FORM_TYPE, formatForm, formatPart, partOf } from '../../../_util/multipart.ts'
import { createRandom } from '../../../_util/random.ts'

interface Part {
  readonly headers: PartHeaders
  readonly text: string
}

/** All parts of a body that comes in pieces, the values as Latin-1. */
function parse(pieces: readonly Uint8Array[], boundary = BOUNDARY): Part[] {
  const parser = new FormParser(boundary)
  const parts: Part[] = []
  let open: { headers: PartHeaders; text: string } | undefined
  for (const piece of pieces) {
    for (const event of parser.push(piece)) {
      if (event.kind === 'part') open = { headers: event.headers, text: '' }
      else if (!open) throw new Error(`${event.kind} outside of a part`)
      else if (event.kind === 'data') open.text += Buffer.from(event.bytes).toString('latin1')
      else {
        parts.push(open)
        open = undefined
      }
    }
  }
  parser.finish()
  return parts
}

const parseText = (text: string, boundary?: string): Part[] =>
  parse([Buffer.from(text, 'latin1')], boundary)

const detailOf = (run: () => unknown): string | undefined => refusalOf(run)?.detail

/** The platform looks for a delimiter in the middle of lines too. */
const hasNoDelimiter = (text: string): boolean => !text.includes(`--${BOUNDARY}`)

/** The body in pieces of random lengths, most of them short. */
function cut(body: Uint8Array, seed: number): Uint8Array[] {
  const random = createRandom(seed)
  const pieces: Uint8Array[] = []
  for (let offset = 0; offset < body.length;) {
    const end = offset + random.below(random.pick([2, 8, 100, 5000]))
    pieces.push(body.subarray(offset, end))
    offset = end
  }
  return pieces
}

describe('a form (BATCH-6)', () => {
  it('gives its parts, with all their headers, in order', () => {
    const body = formatForm([
      partOf('b/c', '\r\n--\0\xff', {
        'Content-Type': 'a/b; c="d"',
        'X-Tinycloud-Meta-Mood': 'calm ',
      }),
      partOf('a', ''),
    ])
    expect(parse([body])).toEqual([
      {
        headers: [
          ['content-disposition', 'form-data; name="b%2Fc"; filename="blob"'],
          ['content-type', 'a/b; c="d"'],
          ['x-tinycloud-meta-mood', 'calm'],
        ],
        text: Buffer.from('\r\n--\0\xff').toString('latin1'),
      },
      { headers: [['content-disposition', 'form-data; name="a"; filename="blob"']], text: '' },
    ])
  })

  it('is what the platform writes', async () => {
    const form = new FormData()
    form.append('a%2Fb', new Blob(['{"a":1}'], { type: 'application/json' }), 'blob')
    form.append('c', 'plain')
    const response = new Response(form)
    const boundary = parseBoundary(response.headers.get('content-type') ?? undefined)
    const parts = parse([await response.bytes()], boundary)
    expect(parts.map(({ text }) => text)).toEqual(['{"a":1}', 'plain'])
    expect(parts[0]?.headers).toContainEqual(['content-type', 'application/json'])
  })

  it('is read as the platform reads it', async () => {
    const piece = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '-',
      `\r\n--${BOUNDARY.slice(0, -1)}`,
      BOUNDARY.slice(0, 9),
      'x',
    )
    const value = fc
      .array(fc.oneof(piece, fc.string()), { maxLength: 8 })
      .map((all) => all.join(''))
    const values = fc.array(value.filter(hasNoDelimiter), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(values, fc.nat(), async (texts, seed) => {
        const body = formatForm(texts.map((text, index) => partOf(`k${index}`, text)))
        const form = await new Response(body, { headers: { 'content-type': FORM_TYPE } }).formData()
        const files = [...form.values()].filter((entry) => typeof entry !== 'string')
        const theirs = await Promise.all(files.map((file) => file.bytes()))
        expect(parse(cut(body, seed)).map(({ text }) => text)).toEqual(
          theirs.map((bytes) => Buffer.from(bytes).toString('latin1')),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('is the same in whatever pieces it comes', () => {
    const values = [
      '',
      '\r',
      '\r\n',
      '\r\n-',
      `\r\n--${BOUNDARY.slice(0, -1)}`,
      `--${BOUNDARY}--`,
      'x'.repeat(9000),
    ]
    const body = Buffer.concat([
      Buffer.from('preamble\r\n'),
      formatForm(values.map((value, index) => partOf(`k${index}`, value))),
      Buffer.from(`epilogue\r\n--${BOUNDARY}\r\n`),
    ])
    const whole = parse([body])
    expect(whole.map(({ text }) => text)).toEqual(values)
    for (let seed = 1; seed <= 200; seed++) expect(parse(cut(body, seed))).toEqual(whole)
    expect(parse([...body].map((byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it('keeps nothing of a piece that is changed afterwards', () => {
    const body = formatForm([partOf('a', 'one'), partOf('b', 'two')])
    const parser = new FormParser(BOUNDARY)
    const texts: string[] = []
    for (let offset = 0; offset < body.length; offset += 7) {
      const piece = new Uint8Array(body.subarray(offset, offset + 7))
      for (const event of parser.push(piece))
        if (event.kind === 'data') texts.push(Buffer.from(event.bytes).toString())
      piece.fill(0)
    }
    parser.finish()
    expect(texts.join('')).toBe('onetwo')
  })

  it('may have no parts, parts without headers, blanks after a delimiter, forms inside of values', () => {
    expect(parseText(`--${BOUNDARY}--`)).toEqual([])
    expect(parseText(`--${BOUNDARY} \t\r\n\r\nx\r\n--${BOUNDARY}--`)).toEqual([
      { headers: [], text: 'x' },
    ])
    const inner = formatForm([partOf('c', 'x')], 'inner').toString('latin1')
    const nested = formatForm([
      partOf('a', inner, { 'Content-Type': 'multipart/form-data; boundary=inner' }),
    ])
    expect(parse([nested]).map(({ text }) => text)).toEqual([inner])
  })

  it('may have ten thousand parts', () => {
    const body = formatForm(
      Array.from({ length: 10_000 }, (_, index) => partOf(`k${index}`, `${index}`)),
    )
    const startedMs = performance.now()
    expect(parse([body])).toHaveLength(10_000)
    expect(parse(cut(body, 1))).toHaveLength(10_000)
    expect(performance.now() - startedMs).toBeLessThan(3000)
  })
})

describe('a form is refused (BATCH-6)', () => {
  const whole = formatForm([partOf('a', 'one'), partOf('b', 'two')])

  it('wherever it ends before its closing delimiter', () => {
    const closing = whole.length - '\r\n'.length
    for (let length = 0; length < closing; length++)
      expect(detailOf(() => parse([whole.subarray(0, length)]))).toBe(
        'Multipart body ends too early',
      )
    expect(parse([whole.subarray(0, closing)])).toHaveLength(2)
  })

  it.each([
    ['text after a delimiter', `--${BOUNDARY}x\r\n\r\n`],
    ['another boundary that begins with this one', `--${BOUNDARY}\r\n\r\nx\r\n--${BOUNDARY}2\r\n`],
    ['one dash', `--${BOUNDARY}-\r\n`],
    ['blanks before the closing dashes', `--${BOUNDARY} --`],
    ['blanks without end', `--${BOUNDARY}${' '.repeat(PART_HEAD_BYTES_MAX + 1)}`],
    ['a bare line feed', `--${BOUNDARY}\n\nx`],
  ])('with %s', (_, text) => {
    expect(detailOf(() => parseText(text))).toBe('Malformed multipart body')
  })

  it.each([
    ['no colon', 'nonsense'],
    ['no name', ': value'],
    ['a blank in the name', 'a b: c'],
    ['a blank before the colon', 'a : b'],
    ['a folded line', 'a: b\r\n c'],
    ['a bare line feed', 'a: b\nc: d'],
    ['a bare carriage return', 'a: b\rc'],
    ['a zero byte', 'a: b\0'],
    ['a name that is not ASCII', 'ä: b'],
  ])('with a header that has %s', (_, line) => {
    const body = `--${BOUNDARY}\r\n${line}\r\n\r\nx\r\n--${BOUNDARY}--`
    expect(detailOf(() => parseText(body))).toBe('Malformed headers of a multipart KV part')
  })

  it('with more than 32 KiB of headers in a part, before they have ended', () => {
    const tooLong = `Multipart KV part headers exceed ${PART_HEAD_BYTES_MAX} bytes`
    const head = `--${BOUNDARY}\r\n`
    const line = `a: ${'x'.repeat(PART_HEAD_BYTES_MAX - '\r\na: '.length)}`
    const rest = `\r\n\r\n\r\n--${BOUNDARY}--`
    expect(parseText(`${head}${line}${rest}`)).toHaveLength(1)
    expect(detailOf(() => parseText(`${head}${line}x${rest}`))).toBe(tooLong)
    expect(detailOf(() => parse(cut(Buffer.from(`${head}${line}${line}`), 1)))).toBe(tooLong)
  })

  it('in time that grows with its length only', () => {
    const startedMs = performance.now()
    for (const character of [' ', '\t', ':', 'a', '"'])
      detailOf(() => parseText(`--${BOUNDARY}\r\na:${character.repeat(32_000)}\0\r\n\r\n`))
    const near = `\r\n--${BOUNDARY.slice(0, -1)}`
    parse([formatForm([partOf('a', near.repeat(50_000))])])
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })

  it('at the same place in whatever pieces it comes', () => {
    const bodies = [
      Buffer.concat([formatPart(partOf('a', 'x')), Buffer.from(`--${BOUNDARY}\r\nbad\r\n\r\n`)]),
      Buffer.concat([formatPart(partOf('a', 'x')), Buffer.from(`--${BOUNDARY}?`)]),
    ]
    for (const body of bodies) {
      const detail = detailOf(() => parse([body]))
      for (let seed = 1; seed <= 50; seed++)
        expect(detailOf(() => parse(cut(body, seed)))).toBe(detail)
    }
  })
})

describe('a boundary (BATCH-6)', () => {
  it.each([
    ['multipart/form-data; boundary=a', 'a'],
    ['Multipart/Form-Data;charset=utf-8; Boundary="a b:c"', 'a b:c'],
    [
      `multipart/form-data; boundary=${'x'.repeat(FORM_BOUNDARY_CHARS_MAX)}`,
      'x'.repeat(FORM_BOUNDARY_CHARS_MAX),
    ],
  ])('of %s is %s', (type, boundary) => {
    expect(parseBoundary(type)).toBe(boundary)
  })

  it.each([undefined, 'multipart/form-data-x; boundary=a', 'multipart/mixed; boundary=a'])(
    'is missing where the type is %s',
    (type) => {
      expect(detailOf(() => parseBoundary(type))).toBe('Missing multipart content-type')
    },
  )

  it.each(['', '""', '"a "', 'a\u00e4', '"a\\\r\nb"', 'x'.repeat(FORM_BOUNDARY_CHARS_MAX + 1)])(
    'is not %j',
    (boundary) => {
      const type = `multipart/form-data; boundary=${boundary}`
      expect(detailOf(() => parseBoundary(type))).toBe('Missing or invalid multipart boundary')
    },
  )
})
