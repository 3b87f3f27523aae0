/**
 * The description of the routes (HTTP-10): what its parts must be, and that docs/openapi.json is the same document. That
 * the node answers as it says: test/node/openapi.test.ts.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createOpenApi } from '../../../src/main/http/openapi.ts'
import { ROUTES } from '../../../src/main/http/route-table.ts'
import { readVersion } from '../../../src/main/version.ts'
import { WIRE_ERRORS } from '../../../src/protocol/error.ts'
import { membersOf, textsOf } from '../../_util/narrow.ts'
import { PROJECT_ROOT } from '../../_util/paths.ts'
import { readProjectFile } from '../../_util/source-tree.ts'

const KEPT = 'docs/openapi.json'

/** As others read it: JSON. */
const document = membersOf(JSON.parse(JSON.stringify(createOpenApi(ROUTES, readVersion()))))

interface Operation {
  readonly name: string
  readonly path: string
  readonly members: Readonly<Record<string, unknown>>
}

const operations: readonly Operation[] = Object.entries(membersOf(document['paths'])).flatMap(
  ([pattern, item]) =>
    Object.entries(membersOf(item)).map(([method, operation]) => ({
      name: `${method} ${pattern}`,
      path: pattern,
      members: membersOf(operation),
    })),
)

const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Every value under the name, at any depth. */
function findAll(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [
    ...(key === name ? [item] : []),
    ...findAll(item, name),
  ])
}

describe('the document (HTTP-10)', () => {
  it('is kept in docs/openapi.json; UPDATE_DOCS=1 writes it anew', () => {
    if (process.env['UPDATE_DOCS'] === '1')
      writeFileSync(path.join(PROJECT_ROOT, KEPT), `${JSON.stringify(document, undefined, 2)}\n`)
    expect(document).toEqual(JSON.parse(readProjectFile(KEPT)))
  })

  it('refers to nothing that it does not hold', () => {
    const references = new Set(findAll(document, '$ref'))
    expect(references.size).toBeGreaterThan(30)
    for (const reference of references) {
      const target = String(reference)
        .slice('#/'.length)
        .split('/')
        .reduce<unknown>((part, name) => membersOf(part)[name], document)
      expect([reference, target]).toEqual([reference, expect.anything()])
    }
  })

  it('says for every code of the catalogue where it is met', () => {
    const met = new Set<string>(ROUTES.flatMap(({ refusals }) => refusals))
    expect(Object.keys(WIRE_ERRORS).filter((code) => !met.has(code))).toEqual([])
  })
})

describe('the operations (HTTP-10)', () => {
  it('have names of their own', () => {
    const names = operations.map(({ members }) => members['operationId'])
    expect(new Set(names).size).toBe(names.length)
  })

  it('name the parameters of their paths, and no other', () => {
    for (const { name, path: pattern, members } of operations) {
      const named = itemsOf(members['parameters']).map(membersOf)
      const inPath = named.filter((parameter) => parameter['in'] === 'path')
      const expected = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter)
      expect([name, inPath.map((parameter) => parameter['name'])]).toEqual([name, expected])
    }
  })

  it('have HEAD wherever they have GET, and OPTIONS everywhere', () => {
    for (const item of Object.values(membersOf(document['paths']))) {
      const methods = Object.keys(membersOf(item))
      expect(methods.includes('head')).toBe(methods.includes('get'))
      expect(methods).toContain('options')
    }
  })

  it('take a token exactly where one is asked for', () => {
    const taking = operations.filter(({ members }) => findAll(members['security'], 'token').length)
    const paths = ['/delegate', '/delegation/query', '/delegation/status', '/invoke', '/revoke']
    expect(textsOf(taking.map(({ name }) => name)).toSorted()).toEqual(
      [...paths, '/signed/kv'].map((pattern) => `post ${pattern}`),
    )
  })

  it('describe no body of HEAD', () => {
    const heads = operations.filter(({ name }) => name.startsWith('head '))
    expect(heads.length).toBeGreaterThan(5)
    for (const { members } of heads) expect(findAll(members['responses'], 'content')).toEqual([])
  })
})
