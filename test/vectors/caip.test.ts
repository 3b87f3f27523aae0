import { CarReader } from '@ipld/car'
import { decode, encode } from '@ipld/dag-cbor'
import { expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { normalizePrincipal } from '../../src/protocol/did.ts'
import { parseSiwe } from '../../src/protocol/siwe.ts'
import { parseToken } from '../../src/protocol/token.ts'
import { codeOf } from '../_util/credentials.ts'
import { describeVectors } from '../_util/vectors.ts'

describeVectors('caip', (folder, tally) => {
  it('CAIP-10: gives accounts their checksum', () => {
    const { cases }: { cases: { comment: string; accountId: string }[] } =
      folder.json('caip-10-eip155.json')
    const valid = new Map(cases.map(({ accountId }) => [accountId.toLowerCase(), accountId]))
    // Two accounts stand there twice, the first time in the right spelling.
    for (const { accountId } of cases.toReversed()) valid.set(accountId.toLowerCase(), accountId)
    for (const { comment, accountId } of cases) {
      tally.check(comment, () => {
        const expected = `did:pkh:${valid.get(accountId.toLowerCase())}`
        expect(normalizePrincipal(`did:pkh:${accountId}`)).toBe(expected)
      })
    }
  })

  it('CAIP-74: decodes the block, which is no token of this protocol', async () => {
    const { carMultibase }: { carMultibase: string } = folder.json('caip-74.json')
    const reader = await CarReader.fromBytes(Buffer.from(carMultibase.slice(1), 'base64url'))
    const [root] = await reader.getRoots()
    const block = root && (await reader.get(root))
    if (!block) throw new Error('no root block')
    tally.deviate('caip-74', 'its nonce has six characters, EIP-4361 wants eight', () => {
      expect(Buffer.from(encode(decode(block.bytes)))).toEqual(Buffer.from(block.bytes))
      const text = formatBase64url(block.bytes, { padding: 'required' })
      expect(codeOf(() => parseToken(text))).toBe('TOKEN_MALFORMED')
    })
  })

  it('CAIP-122: refuses messages of other forms', () => {
    const { ethereum, solana, solanaBase64url }: Record<string, string> =
      folder.json('caip-122.json')
    for (const [name, text = ''] of Object.entries({ ethereum, solana }))
      tally.check(name, () => expect(codeOf(() => parseSiwe(text))).toBe('TOKEN_MALFORMED'))
    const decoded = Buffer.from(solanaBase64url ?? '', 'base64url').toString()
    expect(codeOf(() => parseSiwe(decoded))).toBe('TOKEN_MALFORMED')
    expect(tally.cases).toBe(8)
  })
})
