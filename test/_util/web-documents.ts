/** DID documents, and what is needed to reach a host of theirs on loopback. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type Reach } from '../../src/main/network/web-keys.ts'
import { createSessionKey, type SessionKey } from '../../src/protocol/client/session-key.ts'
import { PROJECT_ROOT } from './paths.ts'

const readPem = (name: string): string =>
  readFileSync(path.join(PROJECT_ROOT, 'test/fixtures/tls', name), 'utf8')

/** Of `web.example`. */
export const WEB_TLS = {
  key: readPem('web.example.key.pem'),
  cert: readPem('web.example.cert.pem'),
} as const

/** Every name is on loopback, which is allowed. */
export const loopbackReach = (): Reach => ({
  resolve: () => Promise.resolve(['127.0.0.1']),
  isAllowedAddress: (address) => address === '127.0.0.1',
  ca: WEB_TLS.cert,
})

/** A key that signs in the name of a did:web. */
export function createWebKey(did: string, seed: Uint8Array, fragment = 'key-1'): SessionKey {
  return { ...createSessionKey(seed), did, didUrl: `${did}#${fragment}` }
}

/** Of an Ed25519 key. */
export const multibaseOf = (seed: Uint8Array): string =>
  createSessionKey(seed).did.slice('did:key:'.length)

/** The document of a DID with one Multikey, `#key-1`. */
export const documentOf = (
  did: string,
  seed: Uint8Array,
  change: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  '@context': ['https://www.w3.org/ns/did/v1'],
  id: did,
  verificationMethod: [
    {
      id: `${did}#key-1`,
      type: 'Multikey',
      controller: did,
      publicKeyMultibase: multibaseOf(seed),
    },
  ],
  assertionMethod: [`${did}#key-1`],
  ...change,
})
