import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { parseJwk } from '../../src/protocol/jwk.ts'

// RFC 8037 §A.2, and RFC 7515 §A.3.
const OKP = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
const EC = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}

const refusal = (code: string): unknown => expect.objectContaining({ name: 'ProtocolError', code })

describe('parseJwk', () => {
  it('gives the 32 bytes of Ed25519', () => {
    const { type, publicKey } = parseJwk({ ...OKP, alg: 'Ed25519' })
    expect([type, toHex(publicKey)]).toEqual([
      'Ed25519',
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    ])
  })

  it('gives the uncompressed point of an EC key', () => {
    const { type, publicKey } = parseJwk({ ...EC, use: 'sig' })
    expect([type, toHex(publicKey)]).toEqual([
      'P-256',
      '047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad',
    ])
  })

  it.each([
    ['nothing', {}],
    ['another curve', { ...EC, crv: 'P-521' }],
    ['a curve of Object.prototype', { ...EC, crv: 'constructor' }],
    ['another kind', { ...EC, kty: 'RSA' }],
    ['encryption', { ...EC, use: 'enc' }],
    ['no use at all', { ...EC, use: null }],
    ['operations without verify', { ...EC, key_ops: [] }],
    ['another algorithm', { ...OKP, alg: 'ES256' }],
    ['an algorithm that is no text', { ...OKP, alg: ['EdDSA'] }],
    ['half a point', { kty: 'EC', crv: 'P-256', x: EC.x }],
    ['a coordinate of 31 bytes', { ...OKP, x: Buffer.alloc(31).toString('base64url') }],
  ])('refuses %s', (_, jwk) => {
    expect(() => parseJwk(jwk)).toThrow(refusal('SIGNATURE_INVALID'))
  })

  it.each([`${OKP.x}=`, `${OKP.x.slice(0, -1)}p`, OKP.x.replace('_', '/')])(
    'refuses the coordinate %s',
    (x) => {
      expect(() => parseJwk({ ...OKP, x })).toThrow(refusal('TOKEN_MALFORMED'))
    },
  )
})
