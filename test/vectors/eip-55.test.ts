import { expect, it } from 'vitest'
import { formatEip55 } from '../../src/protocol/eip55.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Eip55Vectors {
  readonly cases: readonly { readonly address: string }[]
}

describeVectors('eip-55', (folder, tally) => {
  it('gives the checksum back from lower and from upper case', () => {
    const { cases }: Eip55Vectors = folder.json('eip-55.json')
    for (const { address } of cases) {
      tally.check(address, () => {
        expect(formatEip55(address.toLowerCase())).toBe(address)
        expect(formatEip55(`0x${address.slice(2).toUpperCase()}`)).toBe(address)
      })
    }
    expect(tally.cases).toBe(8)
  })
})
