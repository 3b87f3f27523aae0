/** What schemas of messages refuse, and with which member (HTTP-5). */
import { describe, expect, it } from 'vitest'
import {
  findViolation,
  type JsonSchema,
  type MessageSchema,
  type Violation,
} from '../../src/protocol/json-schema.ts'

const find = (
  properties: Readonly<Record<string, JsonSchema>>,
  value: Readonly<Record<string, unknown>>,
  more: Partial<MessageSchema> = {},
): Violation | undefined =>
  findViolation(
    { type: 'object', properties, required: [], ...more },
    new Map(Object.entries(value)),
  )

const keywordOf = (schema: JsonSchema, value: unknown): string | undefined =>
  find({ a: schema }, { a: value })?.keyword

describe('a member', () => {
  it.each([
    ['string', ['', 'x'], [null, 1, true, [], {}]],
    ['integer', [0, -1, 2 ** 53 - 1], [1.5, 2 ** 53, 1e308, Number.NaN, '1', null, true]],
    ['boolean', [true, false], [0, 'true', null]],
    ['null', [null], ['', 0, false, [], {}]],
    ['array', [[], [1]], [{}, null, 'x']],
    ['object', [{}, { a: 1 }], [[], null, 'x']],
  ] as const)('is of its type: %s', (type, good, bad) => {
    for (const value of good) expect(keywordOf({ type }, value)).toBeUndefined()
    for (const value of bad) expect([value, keywordOf({ type }, value)]).toEqual([value, 'type'])
  })

  it('is of one of its types', () => {
    const schema: JsonSchema = { type: ['string', 'null'] }
    for (const value of ['', null]) expect(keywordOf(schema, value)).toBeUndefined()
    expect(keywordOf(schema, 0)).toBe('type')
  })

  it('is one of its values', () => {
    const schema: JsonSchema = { type: ['string', 'null'], enum: ['a', null] }
    for (const value of ['a', null]) expect(keywordOf(schema, value)).toBeUndefined()
    for (const value of ['', 'A', 'toString']) expect(keywordOf(schema, value)).toBe('enum')
  })

  it('is in its range, both ends included', () => {
    const schema: JsonSchema = { type: 'integer', minimum: 1, maximum: 3 }
    for (const value of [1, 3]) expect(keywordOf(schema, value)).toBeUndefined()
    for (const value of [0, 4, -1]) expect(keywordOf(schema, value)).toBe('range')
  })

  it('is as long as it may be, both ends included', () => {
    const schema: JsonSchema = { type: 'string', minLength: 1, maxLength: 3 }
    for (const value of ['a', 'abc']) expect(keywordOf(schema, value)).toBeUndefined()
    for (const value of ['', 'abcd']) expect(keywordOf(schema, value)).toBe('length')
  })

  it('is anything where nothing is said', () => {
    for (const value of [null, 1.5, {}, []]) expect(keywordOf({}, value)).toBeUndefined()
  })
})

describe('a message', () => {
  const properties: Readonly<Record<string, JsonSchema>> = {
    a: { type: 'string' },
    b: { type: 'string' },
  }

  it('has what is compulsory', () => {
    expect(find(properties, { b: '' }, { required: ['a'] })).toEqual({
      member: 'a',
      keyword: 'required',
    })
    expect(find(properties, {})).toBeUndefined()
  })

  it('has other members only if it may', () => {
    const closed = { additionalProperties: false }
    for (const name of ['c', 'toString', '__proto__', 'A']) {
      const members = new Map<string, unknown>([[name, 1]])
      const schema: MessageSchema = { type: 'object', properties, required: [] }
      expect(findViolation(schema, members)).toBeUndefined()
      expect(findViolation({ ...schema, ...closed }, members)).toEqual({
        member: name,
        keyword: 'additionalProperties',
      })
    }
  })

  it('is judged in one order: unknown members, then the known ones as the schema names them', () => {
    const closed = { additionalProperties: false }
    expect(find(properties, { b: 1, a: 1, c: 1 }, closed)?.member).toBe('c')
    expect(find(properties, { b: 1, a: 1 }, closed)?.member).toBe('a')
    expect(find(properties, { b: 1, a: '' }, closed)?.member).toBe('b')
  })
})
