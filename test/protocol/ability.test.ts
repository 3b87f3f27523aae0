import { describe, expect, it } from 'vitest'
import { coversAbility, isAbility, resolveAbility, serviceOf } from '../../src/protocol/ability.ts'

const kv = (name: string): string => `tinycloud.kv/${name}`
const sql = (name: string): string => `tinycloud.sql/${name}`
const duckdb = (name: string): string => `tinycloud.duckdb/${name}`

describe('isAbility', () => {
  it.each(['tinycloud.kv/get', '*/*', 'a/b', 'tinycloud.sql/*', 'A-b_c.d+e/1'])(
    'takes %s',
    (text) => expect(isAbility(text)).toBe(true),
  )
  it.each([
    '',
    'get',
    '/get',
    'kv/',
    'a/b/c',
    'a b/c',
    'a/b\n',
    'ä/b',
    'a/[',
    'a/^',
    'a/b:c',
    'a/b~',
  ])('refuses %j', (text) => expect(isAbility(text)).toBe(false))
})

describe('coversAbility (ABIL-1)', () => {
  it('resolves aliases on both sides', () => {
    expect(resolveAbility(kv('delete'))).toBe(kv('del'))
    for (const [alias, name] of [
      [kv('delete'), kv('del')],
      [sql('select'), sql('read')],
      [duckdb('select'), duckdb('read')],
    ] as const) {
      expect(coversAbility(alias, name)).toBe(true)
      expect(coversAbility(name, alias)).toBe(true)
      expect(coversAbility(alias, alias)).toBe(true)
    }
  })

  it('knows exactly the listed implications', () => {
    const names = ['read', 'select', 'write', 'schema', 'admin', 'import', 'export', '*']
    const covered = (held: string, of: (name: string) => string): string[] =>
      names.filter((name) => name !== held && coversAbility(of(held), of(name)))
    expect(covered('*', sql)).toEqual(['read', 'select', 'write', 'schema', 'admin'])
    expect(covered('admin', sql)).toEqual(['schema'])
    expect(covered('*', duckdb)).toEqual(['read', 'select', 'write', 'admin', 'import', 'export'])
    expect(covered('admin', duckdb)).toEqual([])
    for (const held of ['read', 'write', 'schema', 'export']) {
      expect(covered(held, sql)).toEqual(held === 'read' ? ['select'] : [])
    }
  })

  it('has no general wildcard', () => {
    for (const held of [kv('*'), '*/*', 'tinycloud.*/get', 'tinycloud.kv/ge*', 'kv/get', 'kv/*'])
      expect([held, coversAbility(held, kv('get'))]).toEqual([held, false])
    expect(coversAbility(sql('*'), duckdb('read'))).toBe(false)
    expect(coversAbility(sql('read'), sql('*'))).toBe(false)
  })

  it('compares unknown abilities by their text', () => {
    expect(coversAbility('example.app/do', 'example.app/do')).toBe(true)
    expect(coversAbility('example.app/do', 'example.app/Do')).toBe(false)
  })
})

it('serviceOf names the service of the protocol', () => {
  expect(serviceOf(kv('get'))).toBe('kv')
  expect(serviceOf('tinycloud.encryption/network.create')).toBe('encryption')
  expect(serviceOf('example.app/get')).toBeUndefined()
  expect(serviceOf('xtinycloud.kv/get')).toBeUndefined()
})
