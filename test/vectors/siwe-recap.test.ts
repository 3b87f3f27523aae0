import { expect, it } from 'vitest'
import { formatCacao } from '../../src/protocol/cacao.ts'
import { formatJcs, parseStrictJson } from '../../src/protocol/json.ts'
import { parseSiwe } from '../../src/protocol/siwe.ts'
import { parseToken } from '../../src/protocol/token.ts'
import { codeOf } from '../_util/credentials.ts'
import { describeVectors, type VectorFolder } from '../_util/vectors.ts'

const SIGNATURE = new Uint8Array(65)

/** The final line feed is not part of the messages that have one. */
const messageIn = (folder: VectorFolder, name: string): string =>
  folder.text(`${name}.txt`).replace(/\n$/, '')

const tokenOf = (text: string) => parseToken(formatCacao(parseSiwe(text), SIGNATURE))

describeVectors('siwe-recap', (folder, tally) => {
  it.each([
    ['siwe_with_caps', 4],
    ['siwe_with_statement', 1],
    ['siwe_with_interleaved_resources', 0],
    ['siwe_with_no_caps', 0],
    ['siwe_with_statement_no_caps', 0],
  ])('%s grants on %d resources', (name, resources) => {
    tally.check(name, () => {
      const { capabilities } = tokenOf(messageIn(folder, name))
      expect(new Set(capabilities.map(({ resource }) => resource.text)).size).toBe(resources)
    })
  })

  it('refuses every change of the statement', () => {
    const text = messageIn(folder, 'siwe_with_caps')
    const message = parseSiwe(text)
    const { statement = '' } = message
    for (let index = 0; index < statement.length; index++) {
      for (const replacement of ['', 'x', statement.charAt(index).repeat(2)]) {
        const changed = statement.slice(0, index) + replacement + statement.slice(index + 1)
        // What stands before the sentence is the user's own.
        if (changed.endsWith(statement)) continue
        const token = formatCacao({ ...message, statement: changed }, SIGNATURE)
        expect(codeOf(() => parseToken(token))).toBe('SIWE_STATEMENT_INVALID')
      }
    }
  })

  it('writes a capability object as canonical JSON', () => {
    tally.check('serialized_cap', () => {
      const text = folder.text('serialized_cap.json').replace(/\n$/, '')
      expect(formatJcs(parseStrictJson(text, { depthMax: 8 }))).toBe(text)
    })
    expect(tally.cases).toBe(6)
  })
})
