import { describe, expect, it } from 'vitest'
import { readHeaderParameters } from '../../../../src/workers/compute/form/header-parameters.ts'

const read = (value: string): [type: string, parameters: Record<string, string>] => {
  const { type, parameters } = readHeaderParameters(value)
  return [type, Object.fromEntries(parameters)]
}

describe('parameters of a header', () => {
  it.each<[string, string, Record<string, string>]>([
    ['', '', {}],
    ['form-data', 'form-data', {}],
    ['Form-Data ; NAME="a"', 'form-data', { name: 'a' }],
    ['form-data; name="a b;c=d"; filename="x"', 'form-data', { name: 'a b;c=d', filename: 'x' }],
    [
      'form-data; filename="a\\"; name=\\"b"; name=c',
      'form-data',
      { filename: 'a"; name="b', name: 'c' },
    ],
    ['form-data; name=a; name=b', 'form-data', { name: 'a' }],
    ['form-data; name=', 'form-data', { name: '' }],
    ['form-data; name=""', 'form-data', { name: '' }],
    ['form-data;;; name=a;', 'form-data', { name: 'a' }],
    ['form-data; ="x"; name=a', 'form-data', {}],
    ['form-data; name="open', 'form-data', {}],
    ['form-data; name="a"x; file=b', 'form-data', {}],
    ['m/f;boundary=a+b/c', 'm/f', { boundary: 'a+b/c' }],
    ['x; __proto__=1; constructor=2', 'x', { ['__proto__']: '1', constructor: '2' }],
  ])('of %j', (value, type, parameters) => {
    expect(read(value)[0]).toBe(type)
    expect(Object.entries(read(value)[1])).toEqual(Object.entries(parameters))
  })

  it.each([
    [';', ''],
    ['; a="', ''],
    ['; a="\\', ''],
    [';  ', 'x"'],
    ['; a=x', '"'],
    ['; ', '"'],
    [' ', 'x'],
  ])('take time that grows with the length only: %j', (repeated, end) => {
    const filler = [repeated.repeat(30_000), repeated + (repeated.at(-1) ?? '').repeat(60_000)]
    const startedMs = performance.now()
    for (const hostile of filler) readHeaderParameters(`form-data;${hostile}${end}`)
    expect(performance.now() - startedMs).toBeLessThan(300)
  })
})
