/** JSON bodies (HTTP-5): what is no JSON, what is JSON of another shape, and what passes. */
import { describe, expect, it } from 'vitest'
import { JSON_BODY_DEPTH_MAX } from '../../../src/protocol/limits.ts'
import { ProtocolError } from '../../../src/protocol/error.ts'
import { type MessageSchema, type Violation } from '../../../src/protocol/json-schema.ts'
import {
  parseJsonMembers,
  parseMessage,
  readNumber,
  readText,
  readTextMember,
  unprocessable,
} from '../../../src/workers/compute/json-body.ts'

const NAMES = ['cid', 'more']
const parse = (text: string | Uint8Array): ReadonlyMap<string, unknown> =>
  parseJsonMembers({ kind: 'whole', bytes: Buffer.from(text) }, NAMES)

const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`

describe('members of a JSON body (HTTP-5)', () => {
  it('are those of an object, unknown ones included', () => {
    expect([...parse('{"cid":"x","other":[1]}')]).toEqual([
      ['cid', 'x'],
      ['other', [1]],
    ])
    expect(parse(' {}\n').size).toBe(0)
  })

  it('may come as an array in their order', () => {
    expect([...parse('["x"]')]).toEqual([['cid', 'x']])
    expect([...parse('["x",null]')]).toEqual([
      ['cid', 'x'],
      ['more', null],
    ])
  })

  it('are never those of a prototype', () => {
    const members = parse('{"__proto__":{"cid":"x"},"constructor":1}')
    expect(members.get('cid')).toBeUndefined()
    expect(members.get('toString')).toBeUndefined()
    expect([...members.keys()]).toEqual(['__proto__', 'constructor'])
  })
})

describe('a body that is no JSON (HTTP-5)', () => {
  it.each([
    ['cut off', '{"cid":'],
    ['blank', '  '],
    ['two values', '{}{}'],
    ['single quotes', "{'cid':'x'}"],
    ['a byte order mark', '\uFEFF{}'],
    ['one name twice', '{"cid":"x","cid":"y"}'],
    ['nested too deeply', nested(JSON_BODY_DEPTH_MAX + 1)],
    ['nested very deeply', nested(500_000)],
    ['not UTF-8', Buffer.from('{"cid":"\xE9"}', 'latin1')],
    ['a lone surrogate', String.raw`{"cid":"\ud800"}`],
  ])('is REQUEST_MALFORMED: %s', (_what, body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'REQUEST_MALFORMED' }))
  })

  it('is REQUEST_MALFORMED: no body at all', () => {
    expect(() => parseJsonMembers({ kind: 'none' }, NAMES)).toThrow(
      expect.objectContaining({ code: 'REQUEST_MALFORMED' }),
    )
  })
})

describe('JSON of another shape (HTTP-5)', () => {
  it.each(['"x"', '5', 'true', 'null', '["a","b","c"]'])('is BODY_UNPROCESSABLE: %s', (body) => {
    expect(() => parse(body)).toThrow(expect.objectContaining({ code: 'BODY_UNPROCESSABLE' }))
  })

  it('is BODY_UNPROCESSABLE where a text is missing or something else', () => {
    for (const body of ['{}', '{"cid":5}', '{"cid":null}', '{"cid":["x"]}', '[]', '{"CID":"x"}'])
      expect(() => readTextMember(parse(body), 'cid')).toThrow(
        expect.objectContaining({ code: 'BODY_UNPROCESSABLE' }),
      )
    expect(readTextMember(parse('{"cid":""}'), 'cid')).toBe('')
  })
})

describe('a message (HTTP-5)', () => {
  const schema: MessageSchema = {
    type: 'object',
    properties: { cid: { type: 'string' }, count: { type: ['integer', 'null'] } },
    required: ['cid'],
  }
  const read = (text: string): [string | undefined, number | undefined] => {
    const form = { schema, order: ['cid', 'count'], refusalOf: unprocessable }
    const members = parseMessage({ kind: 'whole', bytes: Buffer.from(text) }, form)
    return [readText(members, 'cid'), readNumber(members, 'count')]
  }

  it('is what its schema says, as an object or as an array', () => {
    expect(read('{"cid":"x","count":5}')).toEqual(['x', 5])
    expect(read('["x",5]')).toEqual(['x', 5])
    expect(read('{"cid":"x","count":null,"more":1}')).toEqual(['x', undefined])
    expect(read('["x"]')).toEqual(['x', undefined])
  })

  it.each(['{}', '[]', '{"cid":null}', '[5]', '{"cid":"x","count":"5"}', '["x",1.5]'])(
    'is refused by its form: %s',
    (body) => {
      expect(() => read(body)).toThrow(expect.objectContaining({ code: 'BODY_UNPROCESSABLE' }))
    },
  )

  it('tells what was violated', () => {
    const form = {
      schema,
      order: [],
      refusalOf: ({ member, keyword }: Violation) =>
        new ProtocolError('QUERY_INVALID', `${member} ${keyword}`),
    }
    const parseBody = (text: string): unknown =>
      parseMessage({ kind: 'whole', bytes: Buffer.from(text) }, form)
    expect(() => parseBody('{"count":1}')).toThrow('QUERY_INVALID: cid required')
    expect(() => parseBody('{"cid":"x","count":[]}')).toThrow('QUERY_INVALID: count type')
    expect(() => parseBody('["x"]')).toThrow('BODY_UNPROCESSABLE')
  })
})
