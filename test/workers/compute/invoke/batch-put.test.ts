import { describe, expect, it } from 'vitest'
import { type Capability } from '../../../../src/protocol/authority.ts'
import { NO_CAVEATS } from '../../../../src/protocol/caveats.ts'
import { parseResource } from '../../../../src/protocol/resource.ts'
import { assertBatchPut } from '../../../../src/workers/compute/invoke/batch-put.ts'
import { OWNER, refusalOf, SPACE } from '../../../_util/credentials.ts'

const PUT = 'tinycloud.kv/put'
const OTHER_SPACE = OWNER.spaceId('other')

const capability = (resource: string, ability = PUT): Capability => ({
  resource: parseResource(resource),
  ability,
  caveats: NO_CAVEATS,
})
const detailOf = (...capabilities: readonly Capability[]): string | undefined =>
  refusalOf(() => assertBatchPut(capabilities))?.detail

describe('the capabilities of a batch put (BATCH-2)', () => {
  const a = capability(`${SPACE}/kv/a`)
  const only = 'KV batch put only accepts tinycloud.kv/put capabilities with paths'

  it('are puts of distinct keys in one space', () => {
    expect(detailOf(a)).toBeUndefined()
    expect(detailOf(a, capability(`${SPACE}/kv/b`), capability(`${SPACE}/kv/`))).toBeUndefined()
  })

  it.each([
    ['a put of no key', capability(`${SPACE}/kv`)],
    ['a delete', capability(`${SPACE}/kv/b`, 'tinycloud.kv/del')],
    ['a read', capability(`${SPACE}/kv/b`, 'tinycloud.kv/get')],
    ['a right of another service', capability(`${SPACE}/sql/b`, 'tinycloud.sql/read')],
    ['a put on another service', capability(`${SPACE}/sql/b`)],
    ['a right of an unknown kind', capability('urn:x', 'x/y')],
  ])('are not %s beside them', (_, other) => {
    expect(detailOf(a, other)).toBe(only)
    expect(detailOf(other, a)).toBe(only)
  })

  it('are not of two spaces', () => {
    expect(detailOf(a, capability(`${OTHER_SPACE}/kv/b`))).toBe(
      'KV batch put must target one space',
    )
  })

  it('name no key twice', () => {
    expect(detailOf(a, capability(`${SPACE}/kv/a?x=1`))).toBe(
      'Duplicate KV batch put capability for path a',
    )
  })

  it('are not looked at where nothing is put', () => {
    expect(detailOf()).toBeUndefined()
    expect(detailOf(capability(`${SPACE}/kv/a`, 'tinycloud.kv/get'))).toBeUndefined()
  })
})
