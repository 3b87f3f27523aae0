import { expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { utf8 } from '../../src/protocol/bytes.ts'
import { formatJcs } from '../../src/protocol/json.ts'
import { formatRecapStatement, formatRecapUri, parseRecapUri } from '../../src/protocol/recap.ts'
import { parseSiwe } from '../../src/protocol/siwe.ts'
import { codeOf } from '../_util/credentials.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Example {
  readonly statement: string
  readonly recapUri: string
  readonly recapJson: string
  readonly recap: { att: Record<string, Record<string, unknown[]>>; prf: string[] }
}

const abilitiesOf = ({ recap }: Example): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(recap.att).map(([uri, abilities]) => [uri, Object.keys(abilities)]),
  )

function expectTexts(example: Example): void {
  expect(formatRecapStatement(abilitiesOf(example))).toBe(example.statement)
  expect(formatJcs(example.recap)).toBe(example.recapJson)
  const payload = formatBase64url(utf8(example.recapJson), { padding: 'none' })
  expect(`urn:recap:${payload}`).toBe(example.recapUri)
}

describeVectors('erc-5573', (folder, tally) => {
  it('computes the printed texts, and refuses what the protocol has no room for', () => {
    const { siwe, details, merge } = folder.json('erc-5573.json')
    tally.deviate('siwe', 'every ability has an empty list, which the text itself forbids', () => {
      expectTexts(siwe)
      expect(parseSiwe(siwe.message).statement).toBe(siwe.statement)
      expect(codeOf(() => parseRecapUri(siwe.recapUri))).toBe('TOKEN_MALFORMED')
    })
    tally.deviate('details', 'conditions: a ReCap of this protocol carries none', () => {
      expectTexts(details)
      expect(codeOf(() => parseRecapUri(details.recapUri))).toBe('TOKEN_MALFORMED')
    })
    tally.deviate('merge', 'the node reads the last ReCap only and merges none', () => {
      expect(Object.keys(merge.merged.att)).toHaveLength(2)
    })
    expect(tally.cases).toBe(3)
  })

  it('reads the printed rights where they have no condition', () => {
    const { details }: { details: Example } = folder.json('erc-5573.json')
    const recap = { abilities: abilitiesOf(details), proofs: details.recap.prf }
    expect(parseRecapUri(formatRecapUri(recap))).toEqual(recap)
  })
})
