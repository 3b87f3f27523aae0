import { describe, expect, it } from 'vitest'
import { formatEip55, isAddress } from '../../src/protocol/eip55.ts'

const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'

describe('addresses', () => {
  it.each([
    [ADDRESS, true],
    [ADDRESS.toLowerCase(), true],
    [`0X${ADDRESS.slice(2)}`, false],
    [ADDRESS.slice(2), false],
    [`${ADDRESS}0`, false],
    [ADDRESS.slice(0, -1), false],
    [`${ADDRESS}\n`, false],
    [`${ADDRESS.slice(0, -1)}g`, false],
    ['', false],
  ])('isAddress(%j) is %j', (text, expected) => {
    expect(isAddress(text)).toBe(expected)
  })

  it('get their checksum from any case, wrong ones included, the second time too', () => {
    const spellings = [
      ADDRESS,
      ADDRESS.toLowerCase(),
      `0x${ADDRESS.slice(2).toUpperCase()}`,
      ADDRESS.replace('E', 'e'),
    ]
    for (const spelling of [...spellings, ...spellings]) expect(formatEip55(spelling)).toBe(ADDRESS)
  })

  it('are all that is formatted', () => {
    expect(() => formatEip55('0x12')).toThrow(RangeError)
  })
})
