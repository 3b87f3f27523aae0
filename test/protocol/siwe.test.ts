import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSiwe, parseSiwe, type SiweMessage } from '../../src/protocol/siwe.ts'
import { codeOf, OWNER } from '../_util/credentials.ts'

const MESSAGE: SiweMessage = {
  domain: 'app.example:8080',
  address: OWNER.address,
  statement: 'Sign in.',
  uri: 'did:key:z6Mk#z6Mk',
  chainId: '1',
  nonce: 'abcdefgh1',
  issuedAt: '2026-01-01T00:00:00.000Z',
}

const FULL: SiweMessage = {
  ...MESSAGE,
  scheme: 'https',
  expirationTime: '2099-01-01T00:00:00+05:30',
  notBefore: '2025-01-01T00:00:00Z',
  requestId: 'request-1',
  resources: ['https://example.com/terms', 'urn:recap:e30'],
}

describe('formatSiwe', () => {
  it('writes every line', () => {
    expect(formatSiwe(FULL)).toBe(
      [
        'https://app.example:8080 wants you to sign in with your Ethereum account:',
        OWNER.address,
        '',
        'Sign in.',
        '',
        'URI: did:key:z6Mk#z6Mk',
        'Version: 1',
        'Chain ID: 1',
        'Nonce: abcdefgh1',
        'Issued At: 2026-01-01T00:00:00.000Z',
        'Expiration Time: 2099-01-01T00:00:00+05:30',
        'Not Before: 2025-01-01T00:00:00Z',
        'Request ID: request-1',
        'Resources:',
        '- https://example.com/terms',
        '- urn:recap:e30',
      ].join('\n'),
    )
  })

  it('leaves two blank lines where there is no statement', () => {
    const { statement: _dropped, ...rest } = MESSAGE
    expect(formatSiwe(rest)).toContain(`${OWNER.address}\n\n\nURI: `)
  })

  it.each<[string, Partial<SiweMessage>]>([
    ['scheme with line break', { scheme: 'https\n' }],
    ['scheme with slash', { scheme: 'https://a' }],
    ['empty scheme', { scheme: '' }],
    ['empty domain', { domain: '' }],
    ['domain with line break', { domain: 'a\nb' }],
    ['domain with blank', { domain: 'evil.example wants you' }],
    ['domain with scheme', { domain: 'https://a' }],
    ['address in lower case', { address: OWNER.address.toLowerCase() }],
    ['address with line break', { address: `${OWNER.address}\n` }],
    ['no address', { address: '' }],
    ['empty statement', { statement: '' }],
    ['statement with line feed', { statement: 'a\n\nURI: x:' }],
    ['statement with carriage return', { statement: 'a\rb' }],
    ['statement with NUL', { statement: 'a\u0000' }],
    ['URI with line break', { uri: 'x:a\nVersion: 1' }],
    ['URI without scheme', { uri: 'example.com' }],
    ['chain ID with sign', { chainId: '-1' }],
    ['chain ID with leading zero', { chainId: '01' }],
    ['chain ID with fraction', { chainId: '1.0' }],
    ['empty chain ID', { chainId: '' }],
    ['short nonce', { nonce: '1234567' }],
    ['nonce with line break', { nonce: '12345678\n' }],
    ['nonce with blank', { nonce: '1234 5678' }],
    ['request ID with line break', { requestId: 'a\nResources:' }],
    ['request ID with blank', { requestId: 'a b' }],
    ['no time', { issuedAt: '' }],
    ['31 February', { notBefore: '2025-02-31T00:00:00Z' }],
    ['time with line break', { expirationTime: '2025-01-01T00:00:00Z\n' }],
    ['resource with line break', { resources: ['x:a\n- x:b'] }],
    ['resource with blank', { resources: ['x:a b'] }],
    ['resource without scheme', { resources: ['a'] }],
  ])('refuses a %s', (_, change) => {
    expect(codeOf(() => formatSiwe({ ...FULL, ...change }))).toBe('TOKEN_MALFORMED')
  })

  it('keeps statements in any script', () => {
    const message = { ...MESSAGE, statement: 'Ich bestätige: 日本語 😀 100%' }
    expect(parseSiwe(formatSiwe(message))).toMatchObject(message)
  })
})

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

describe('parseSiwe', () => {
  it.each<[string, (text: string) => string]>([
    ['an empty text', () => ''],
    ['a text that ends early', (text) => text.slice(0, text.indexOf('Nonce'))],
    ['a final line feed', (text) => `${text}\n`],
    ['another greeting', (text) => text.replace('Ethereum', 'Solana')],
    ['version 2', (text) => text.replace('Version: 1', 'Version: 2')],
    ['CR LF', (text) => text.replaceAll('\n', '\r\n')],
    ['a line twice', (text) => text.replace('Nonce', 'Nonce: abcdefgh1\nNonce')],
    ['an unknown line', (text) => text.replace('Resources:', 'Extra: 1\nResources:')],
    ['a resource without dash', (text) => text.replace('- urn', 'urn')],
    ['two statements', (text) => text.replace('Sign in.', 'Sign in.\nAgain.')],
  ])('refuses %s', (_, spoil) => {
    const text = spoil(formatSiwe(FULL))
    expect(codeOf(() => parseSiwe(text))).toBe('TOKEN_MALFORMED')
  })

  it('gives back what was formatted, for any fields that can be formatted', () => {
    const line = fc.oneof(
      fc.constantFrom('URI: x:y', 'Version: 1', 'Resources:', '- x:y', 'a\nb', '', 'Request ID: '),
      fc.string(),
    )
    const uri = fc.oneof(fc.webUrl({ withFragments: true }), line)
    const time = fc.oneof(
      fc.constantFrom('2026-01-01T00:00:00Z', '1999-12-31t23:59:59.5-12:00'),
      line,
    )
    const messages = fc.record({
      scheme: optional(fc.oneof(fc.constantFrom('https', 'http'), line)),
      domain: fc.oneof(fc.domain(), line),
      address: fc.constant(OWNER.address),
      statement: optional(line),
      uri,
      chainId: fc.oneof(fc.nat().map(String), line),
      nonce: fc.oneof(fc.constantFrom('abcdefgh', '12345678'), line),
      issuedAt: time,
      expirationTime: optional(time),
      notBefore: optional(time),
      requestId: optional(line),
      resources: optional(fc.array(uri, { maxLength: 3 })),
    })
    let formatted = 0
    fc.assert(
      fc.property(messages, (message) => {
        if (codeOf(() => formatSiwe(message)) !== undefined) return
        formatted++
        const text = formatSiwe(message)
        expect(parseSiwe(text)).toEqual(message)
      }),
      { numRuns: 20_000 },
    )
    // Most random fields cannot be formatted; the property must not pass for want of cases.
    expect(formatted).toBeGreaterThan(20)
  })
})
