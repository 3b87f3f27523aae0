import { expect, it } from 'vitest'
import { formatCacao } from '../../src/protocol/cacao.ts'
import { parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { contractSignatureOf, hashPersonalMessage } from '../../src/protocol/signature.ts'
import { formatSiwe, parseSiwe } from '../../src/protocol/siwe.ts'
import { assertTimeWindow, parseToken, verifyToken } from '../../src/protocol/token.ts'
import { codeOf } from '../_util/credentials.ts'
import { messageOf, type SiweFields } from '../_util/siwe-fields.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Signed extends SiweFields {
  readonly signature: string
  readonly time?: string
  readonly domainBinding?: string
  readonly matchNonce?: string
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex')

/** The version is no field of ours, because there is only one: another one is looked for in the text. */
function build(fields: SiweFields): void {
  const text = formatSiwe(messageOf(fields))
  parseSiwe(text.replace('Version: 1', `Version: ${fields.version ?? ''}`))
}

/** The code with which a token of these fields is refused at its time; undefined: it is accepted. */
function verdict(fields: Signed): string | undefined {
  return codeOf(() => {
    const token = parseToken(formatCacao(messageOf(fields), bytesOf(fields.signature)))
    verifyToken(token)
    assertTimeWindow(
      token,
      parseRfc3339(fields.time ?? fields.issuedAt ?? ''),
      0,
      'DELEGATION_TIME',
    )
  })
}

describeVectors('siwe', (folder, tally) => {
  it('reads and writes every valid message', () => {
    const cases: Record<string, { message: string; fields: SiweFields }> =
      folder.json('parsing_positive.json')
    for (const [name, { message, fields }] of Object.entries(cases)) {
      tally.check(name, () => {
        expect(parseSiwe(message)).toEqual(messageOf(fields))
        expect(formatSiwe(messageOf(fields))).toBe(message)
      })
    }
  })

  it('refuses every invalid text', () => {
    const cases: Record<string, string> = folder.json('parsing_negative.json')
    for (const [name, message] of Object.entries(cases))
      tally.check(name, () => expect(codeOf(() => parseSiwe(message))).toBe('TOKEN_MALFORMED'))
  })

  it('refuses to build every invalid message', () => {
    const cases: Record<string, SiweFields> = folder.json('parsing_negative_objects.json')
    for (const [name, fields] of Object.entries(cases))
      tally.check(name, () => expect(codeOf(() => build(fields))).toBe('TOKEN_MALFORMED'))
  })

  it('accepts every true signature in its time', () => {
    const cases: Record<string, Signed> = folder.json('verification_positive.json')
    for (const [name, fields] of Object.entries(cases))
      tally.check(name, () => expect(verdict(fields)).toBeUndefined())
  })

  it('refuses every false signature, and a true one out of its time', () => {
    const cases: Record<string, Signed> = folder.json('verification_negative.json')
    const isOfApplication = ([, { domainBinding, matchNonce }]: [string, Signed]): boolean =>
      domainBinding !== undefined || matchNonce !== undefined
    const entries = Object.entries(cases)
    const reason = 'a node expects no domain and no nonce: a delegation may be made anywhere'
    for (const [name, fields] of entries.filter(isOfApplication))
      tally.deviate(name, reason, () => expect(verdict(fields)).toBeUndefined())
    for (const [name, fields] of entries.filter((entry) => !isOfApplication(entry)))
      tally.check(name, () => expect(verdict(fields)).toBeDefined())
  })

  it('does not take a signature of a contract wallet for one of a key', () => {
    const cases: Record<string, { message: string; signature: string }> =
      folder.json('eip1271.json')
    for (const [name, { message, signature }] of Object.entries(cases)) {
      tally.check(name, () => {
        const text = formatCacao(parseSiwe(message), bytesOf(signature))
        expect(codeOf(() => verifyToken(parseToken(text)))).toMatch(
          /SIGNATURE_INVALID|TOKEN_MALFORMED/,
        )
      })
    }
    expect(tally.cases).toBe(82)
  })

  it('takes it where the contract says that it is its own', () => {
    const cases: Record<string, { message: string; signature: string }> =
      folder.json('eip1271.json')
    for (const [name, { message, signature }] of Object.entries(cases)) {
      const fields = parseSiwe(message)
      const token = parseToken(formatCacao(fields, bytesOf(signature)), () => true)
      expect([name, contractSignatureOf(token)]).toEqual([
        name,
        {
          chainId: '1',
          address: fields.address,
          hash: hashPersonalMessage(Buffer.from(message)),
          signature: new Uint8Array(bytesOf(signature)),
        },
      ])
      expect(codeOf(() => verifyToken(token))).toBe('SIGNATURE_INVALID')
      expect(codeOf(() => verifyToken(token, { isContractSignature: false }))).toBe(
        'SIGNATURE_INVALID',
      )
      expect(codeOf(() => verifyToken(token, { isContractSignature: true }))).toBeUndefined()
    }
  })
})
