/** Messages of EIP-4361: valid fields, and fields that try to look like the next line. */
import * as fc from 'fast-check'
import { type SiweMessage } from '../../../src/protocol/siwe.ts'
import { OWNER, SESSION, STRANGER } from '../credentials.ts'

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 })

const time = fc.constantFrom(
  '2026-01-01T00:00:00Z',
  '2026-12-31t23:59:59.999+05:30',
  '2024-02-29T12:00:00.5z',
  '2026-02-30T00:00:00Z',
  '2026-01-01T00:00:00Z\nNot Before: 2020-01-01T00:00:00Z',
)
const statement = fc.oneof(
  fc.constantFrom(
    'Sign in.',
    'URI: did:key:x',
    'Resources:',
    '- urn:recap:e30',
    ' ',
    'é 💥 \u2028',
    '\u0085',
    'a\nb',
    '\r',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const uri = fc.constantFrom(
  SESSION.didUrl,
  'ucan:bafkr4i',
  'https://example.com/a?b#c',
  'urn:x',
  'a b',
  'x:\nVersion: 1',
  '',
)

export const siweMessages: fc.Arbitrary<SiweMessage> = fc.record({
  scheme: optional(fc.constantFrom('https', 'a+b', '1a', 'https://x')),
  domain: fc.constantFrom('app.example', 'a:1', 'u@h:80', '[::1]:1', 'https://x', 'a/b', '', 'a b'),
  address: fc.constantFrom(OWNER.address, STRANGER.address, OWNER.address.toLowerCase()),
  statement: optional(statement),
  uri,
  chainId: fc.constantFrom('1', '0', '137', '01', '-1', ''),
  nonce: fc.constantFrom('abcdefgh', '12345678901234567890', 'short', 'with space', ''),
  issuedAt: time,
  expirationTime: optional(time),
  notBefore: optional(time),
  requestId: optional(fc.constantFrom('', 'r-1', '%20', 'a b', "a'b", 'x\nResources:')),
  resources: optional(fc.array(uri, { maxLength: 3 })),
})

/** Every field is what it should be. */
export const goodSiweMessages: fc.Arbitrary<SiweMessage> = fc.record({
  scheme: optional(fc.constantFrom('https', 'a+b')),
  domain: fc.constantFrom('app.example', 'a:1', 'u@h:80', '[::1]:1'),
  address: fc.constantFrom(OWNER.address, STRANGER.address),
  statement: optional(fc.constantFrom('Sign in.', 'URI: did:key:x', 'Resources:', 'é 💥', ' ')),
  uri: fc.constantFrom(SESSION.didUrl, 'ucan:bafkr4i', 'https://example.com/a?b#c'),
  chainId: fc.constantFrom('1', '0', '137'),
  nonce: fc.constantFrom('abcdefgh', '12345678901234567890'),
  issuedAt: fc.constantFrom('2026-01-01T00:00:00Z', '2024-02-29T12:00:00.5z'),
  expirationTime: optional(fc.constantFrom('2026-12-31T23:59:59.999+05:30')),
  notBefore: optional(fc.constantFrom('2026-01-01T00:00:00Z')),
  requestId: optional(fc.constantFrom('', 'r-1', '%20', "a'b")),
  resources: optional(fc.array(fc.constantFrom('urn:x', 'https://a/', 'a:b'), { maxLength: 3 })),
})
