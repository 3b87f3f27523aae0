import { decode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { expect, it } from 'vitest'
import { formatBase64url } from '../../src/protocol/base64url.ts'
import { formatCacao } from '../../src/protocol/cacao.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { parseSiwe, type SiweMessage } from '../../src/protocol/siwe.ts'
import { parseToken, verifyToken } from '../../src/protocol/token.ts'
import { codeOf } from '../_util/credentials.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Block {
  readonly name: string
  readonly cid: string
  readonly hex: string
  readonly signatureVerifies: boolean
}

interface Pair {
  readonly message: string
  readonly signature: string
  readonly valid: boolean
}

interface Decoded {
  readonly p: {
    readonly domain: string
    readonly iss: string
    readonly aud: string
    readonly nonce: string
    readonly iat: string
    readonly statement: string
    readonly resources: string[]
  }
  readonly s: { readonly s: string | number[] }
}

function messageOf({ p }: Decoded): SiweMessage {
  const [, , , chainId = '', address = ''] = p.iss.split(':')
  const { domain, aud: uri, nonce, iat: issuedAt, statement, resources } = p
  return { domain, address, statement, uri, chainId, nonce, issuedAt, resources }
}

function signatureOf({ s }: Decoded): Uint8Array {
  return typeof s.s === 'string' ? Buffer.from(s.s.slice(2), 'hex') : Uint8Array.from(s.s)
}

const verdict = (message: SiweMessage, signature: Uint8Array): boolean =>
  codeOf(() => verifyToken(parseToken(formatCacao(message, signature)))) === undefined

describeVectors('cacao', (folder, tally) => {
  const read = (): { blocks: Block[]; eip191: Pair[] } => folder.json('cacao.json')

  it('refuses blocks of other implementations, and gives their signatures the same verdict in our form', () => {
    for (const { name, cid, hex, signatureVerifies } of read().blocks) {
      const reason = 'the protocol writes the signature as bytes and the version as a number'
      tally.deviate(name, reason, () => {
        const bytes = Buffer.from(hex, 'hex')
        expect(Buffer.from(CID.parse(cid).multihash.digest)).toEqual(Buffer.from(sha256(bytes)))
        const text = formatBase64url(bytes, { padding: 'required' })
        expect(codeOf(() => parseToken(text))).toBe('TOKEN_MALFORMED')
        const block = decode<Decoded>(bytes)
        expect(verdict(messageOf(block), signatureOf(block))).toBe(signatureVerifies)
      })
    }
  })

  it('verifies EIP-191 signatures', () => {
    for (const { message, signature, valid } of read().eip191)
      tally.check(`valid ${valid}`, () =>
        expect(verdict(parseSiwe(message), Buffer.from(signature, 'hex'))).toBe(valid),
      )
    expect(tally.cases).toBe(4)
  })
})
