/** The limits of the protocol are those that docs/protocol.md tells. */
import { describe, expect, it } from 'vitest'
import * as limits from '../../src/protocol/limits.ts'
import { readProjectFile, readTables } from '../_util/source-tree.ts'

describe('docs/protocol.md', () => {
  it('lists every limit with its value', () => {
    const listed = readTables(readProjectFile('docs/protocol.md'), 'limit').map(
      ([name, value]) => [name, Number(value)] as const,
    )
    expect(Object.fromEntries(listed)).toEqual({ ...limits })
    expect(listed).toHaveLength(Object.keys(limits).length)
  })
})
