import { expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { formatJcs, parseStrictJson } from '../../src/protocol/json.ts'
import { describeVectors } from '../_util/vectors.ts'

const DEPTH_MAX = 32

function doubleOfHex(hex: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${hex}`))
  return view.getFloat64(0)
}

describeVectors('jcs', (folder, tally) => {
  it('writes every document as the origin does', () => {
    for (const name of folder.list('input')) {
      tally.check(name, () => {
        const canonical = formatJcs(
          parseStrictJson(folder.text(`input/${name}`), { depthMax: DEPTH_MAX }),
        )
        expect(canonical).toBe(folder.text(`output/${name}`))
        const hex = folder.text(`outhex/${name.replace('.json', '.txt')}`).replaceAll(/\s/g, '')
        expect(toHex(utf8(canonical))).toBe(hex)
      })
    }
    expect(tally.cases).toBe(6)
  })

  it('writes every number as the origin does', () => {
    for (const line of folder.lines('es6-numbers-10000.txt')) {
      const [hex = '', text] = line.split(',')
      tally.check(line, () => {
        expect(formatJcs(doubleOfHex(hex))).toBe(text)
      })
    }
    expect(tally.cases).toBe(10_006)
  })
})
