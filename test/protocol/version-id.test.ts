/** Names of versions. Rule: HIST-1. */
import { describe, expect, it } from 'vitest'
import { formatVersionId, isSameVersion, parseVersionId } from '../../src/protocol/version-id.ts'

describe('a version', () => {
  it.each([
    { seq: 0, epochSeq: 0 },
    { seq: 12, epochSeq: 3 },
    { seq: 999_999_999_999_999, epochSeq: 999_999_999 },
  ])('is named by $seq and $epochSeq, and read back', (id) => {
    expect(formatVersionId(id)).toBe(`${id.seq}.${id.epochSeq}`)
    expect(parseVersionId(formatVersionId(id), '')).toEqual(id)
    expect(isSameVersion(parseVersionId(formatVersionId(id), ''), id)).toBe(true)
    expect(isSameVersion({ ...id, epochSeq: id.epochSeq + 1 }, id)).toBe(false)
    expect(isSameVersion({ ...id, seq: id.seq + 1 }, id)).toBe(false)
  })

  it.each([
    '',
    '.',
    '1',
    '1.',
    '.1',
    '01.0',
    '1.00',
    '-1.0',
    '1.-1',
    '1.0.0',
    ' 1.0',
    '1.0 ',
    '1,0',
    '1e3.0',
    '١.0',
    '1.0\n',
    '9007199254740993000.0',
    '1.9999999999',
  ])('is not named %j', (text) => {
    expect(() => parseVersionId(text, 'what it must be')).toThrow('OPTION_INVALID: what it must be')
  })
})
