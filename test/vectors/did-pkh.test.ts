import { expect, it } from 'vitest'
import { normalizePrincipal, resolveVerificationKey } from '../../src/protocol/did.ts'
import { formatEip55 } from '../../src/protocol/eip55.ts'
import { describeVectors } from '../_util/vectors.ts'

interface PkhDocument {
  readonly id: string
  readonly verificationMethod: readonly { readonly id: string }[]
}

const refusal: unknown = expect.objectContaining({
  name: 'ProtocolError',
  code: 'SIGNATURE_INVALID',
})

describeVectors('did-pkh', (folder, tally) => {
  const documents = (isEip155: boolean): PkhDocument[] =>
    folder
      .list()
      .map((name): PkhDocument => folder.json(name))
      .filter(({ id }) => id.startsWith('did:pkh:eip155:') === isEip155)

  it('resolves accounts of eip155, by themselves and by the methods of their documents', () => {
    for (const { id, verificationMethod } of documents(true)) {
      tally.check(id, () => {
        const [, , , chainId = '', address = ''] = id.split(':')
        const account = { type: 'eip155', chainId, address: formatEip55(address) }
        for (const url of [id, ...verificationMethod.map((method) => method.id)]) {
          expect(resolveVerificationKey(url)).toEqual(account)
        }
        expect(normalizePrincipal(id)).toBe(`did:pkh:eip155:${chainId}:${formatEip55(address)}`)
      })
    }
    expect(tally.cases).toBe(3)
  })

  it('takes accounts of other chains as principals without a key', () => {
    for (const { id } of documents(false)) {
      tally.check(id, () => {
        expect(() => resolveVerificationKey(id)).toThrow(refusal)
        expect(normalizePrincipal(id)).toBe(id)
      })
    }
    expect(tally.cases).toBe(6)
  })
})
