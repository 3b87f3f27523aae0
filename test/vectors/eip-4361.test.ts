import { expect, it } from 'vitest'
import { formatSiwe, parseSiwe } from '../../src/protocol/siwe.ts'
import { messageOf, type SiweFields } from '../_util/siwe-fields.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Case {
  readonly name: string
  readonly message: string
  readonly fields: SiweFields
}

describeVectors('eip-4361', (folder, tally) => {
  it('reads and writes the examples of the text', () => {
    const { cases }: { cases: Case[] } = folder.json('eip-4361.json')
    for (const { name, message, fields } of cases) {
      tally.check(name, () => {
        expect(parseSiwe(message)).toEqual(messageOf(fields))
        expect(formatSiwe(messageOf(fields))).toBe(message)
      })
    }
    expect(tally.cases).toBe(3)
  })
})
