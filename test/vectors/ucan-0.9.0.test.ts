import { expect, it } from 'vitest'
import { parseToken } from '../../src/protocol/token.ts'
import { codeOf } from '../_util/credentials.ts'
import { describeVectors } from '../_util/vectors.ts'

describeVectors('ucan-0.9.0', (folder, tally) => {
  it('refuses tokens of the older version, valid or not', () => {
    for (const file of ['ucan-v0.9.0-valid.json', 'ucan-v0.9.0-invalid.json']) {
      const cases: { token: string }[] = folder.json(file)
      for (const [index, { token }] of cases.entries())
        tally.check(`${file} ${index}`, () =>
          expect(codeOf(() => parseToken(token))).toBe('TOKEN_MALFORMED'),
        )
    }
    expect(tally.cases).toBe(7)
  })
})
