/** Caches keep what they name, not the token in which it stood. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { signInvocation } from '../../src/protocol/client/key-tokens.ts'
import { parseToken, verifyToken } from '../../src/protocol/token.ts'
import { formatUcan } from '../../src/protocol/ucan.ts'
import { codeOf, NOW_S, SESSION } from '../_util/credentials.ts'

const TOKENS = 64
const TOKEN_CHARS = 400_000
/** The tokens of one round have 25 MB together. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

function keptBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const padding = 'a'.repeat(TOKEN_CHARS)
const hexOf = (index: number): string => index.toString(16).padStart(40, '0')

const LARGE_TOKENS: Readonly<Record<string, (index: number) => string>> = {
  'headers that nobody signed': (index) =>
    `${Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'JWT', ucv: '0.10.0', index })).toString('base64url')}.${padding}.a`,
  'spaces that nobody owns': (index) =>
    signInvocation(SESSION, {
      nonce: 'n',
      expiresAtS: NOW_S,
      grants: { [`tinycloud:pkh:eip155:1:0x${hexOf(index)}:default/kv/${padding}`]: ['kv/get'] },
    }).authorization,
  'issuers that nobody is': (index) =>
    formatUcan({
      header: { alg: 'ES256K', typ: 'JWT', ucv: '0.10.0', jwk: { index } },
      payload: {
        iss: `did:pkh:eip155:1:0x${hexOf(index)}`,
        aud: SESSION.did,
        exp: NOW_S,
        prf: [],
        att: {},
        note: padding,
      },
      sign: () => new Uint8Array(64),
    }),
}

it.each(Object.entries(LARGE_TOKENS))('forgets large tokens: %s', (_, tokenOf) => {
  const run = (first: number): void => {
    for (let index = first; index < first + TOKENS; index++)
      codeOf(() => verifyToken(parseToken(tokenOf(index))))
  }
  run(0)
  const beforeBytes = keptBytes()
  run(TOKENS)
  expect(keptBytes() - beforeBytes).toBeLessThan(KEPT_BYTES_MAX)
})

it('has a way to see what is kept', () => {
  const beforeBytes = keptBytes()
  const kept = Array.from({ length: TOKENS }, (_, index) => `${index}${padding}`.slice(1))
  expect(keptBytes() - beforeBytes).toBeGreaterThan(KEPT_BYTES_MAX)
  expect(kept).toHaveLength(TOKENS)
})
