import { base58btc } from 'multiformats/bases/base58'
import { expect, it } from 'vitest'
import { parseBase64url } from '../../src/protocol/base64url.ts'
import { concatBytes, parseHex, toHex } from '../../src/protocol/bytes.ts'
import { ed25519PublicKey } from '../../src/protocol/crypto/ed25519.ts'
import { secp256k1PublicKey } from '../../src/protocol/crypto/secp256k1.ts'
import {
  formatDidKey,
  type KeyType,
  normalizePrincipal,
  resolveVerificationKey,
} from '../../src/protocol/did.ts'
import { describeVectors } from '../_util/vectors.ts'

interface KeyPair {
  readonly publicKeyBase58?: string
  readonly publicKeyJwk?: { readonly crv: string; readonly x: string; readonly y?: string }
}

interface DidKeyVector {
  readonly seed?: string
  readonly verificationKeyPair?: KeyPair
  readonly verificationMethod?: KeyPair
  readonly keyAgreementKeyPair?: { readonly id: string }
}

const parse = (text: string): Uint8Array => parseBase64url(text, { padding: 'none' })

/** The key of an entry in the form of a did:key, whichever way the entry writes it. */
function keyOf({ verificationKeyPair, verificationMethod }: DidKeyVector): string {
  const { publicKeyBase58, publicKeyJwk } = verificationKeyPair ?? verificationMethod ?? {}
  if (publicKeyJwk === undefined) return toHex(base58btc.decode(`z${publicKeyBase58}`))
  const x = parse(publicKeyJwk.x)
  if (publicKeyJwk.y === undefined) return toHex(x)
  const isOdd = ((parse(publicKeyJwk.y).at(-1) ?? 0) & 1) === 1
  return toHex(concatBytes([Uint8Array.of(isOdd ? 0x03 : 0x02), x]))
}

/** What the text of a did:key, with and without its fragment, says: type, key, and the text made again from them. */
function readDid(did: string): object {
  const key = resolveVerificationKey(did)
  if (key.type === 'eip155') throw new Error('an account, not a key')
  expect(resolveVerificationKey(`${did}#${did.slice('did:key:'.length)}`)).toEqual(key)
  return { type: key.type, key: toHex(key.publicKey), did: formatDidKey(key.type, key.publicKey) }
}

const refusal: unknown = expect.objectContaining({
  name: 'ProtocolError',
  code: 'SIGNATURE_INVALID',
})

function expectRefused(didUrl: string): void {
  expect(() => resolveVerificationKey(didUrl)).toThrow(refusal)
}

const derivations = {
  Ed25519: (seed: Uint8Array) => ed25519PublicKey(seed),
  secp256k1: (seed: Uint8Array) => secp256k1PublicKey(seed, true),
}

describeVectors('did-key', (folder, tally) => {
  const read = (file: string): [did: string, vector: DidKeyVector][] => {
    const vectors: Record<string, DidKeyVector> = folder.json(file)
    return Object.entries(vectors)
  }

  const checkKeys = (type: KeyType, entries: [did: string, vector: DidKeyVector][]): void => {
    for (const [did, vector] of entries) {
      tally.check(did, () => {
        expect(readDid(did)).toEqual({ type, key: keyOf(vector), did })
        expect(normalizePrincipal(`${did}#any`)).toBe(did)
      })
    }
  }

  const checkRefused = (dids: readonly string[]): void => {
    for (const did of dids) {
      tally.check(did, () => {
        expectRefused(did)
        expect(normalizePrincipal(did)).toBe(did)
      })
    }
  }

  it.each([
    ['ed25519-x25519.json', 'Ed25519', 5],
    ['secp256k1.json', 'secp256k1', 6],
  ] as const)('%s: the key, from its text and back', (file, type, count) => {
    const entries = read(file)
    expect(entries).toHaveLength(count)
    checkKeys(type, entries)
  })

  it.each([
    ['ed25519-x25519.json', 'Ed25519'],
    ['secp256k1.json', 'secp256k1'],
  ] as const)('%s: the key of each seed', (file, type) => {
    const withSeed = read(file).filter(([, { seed }]) => seed !== undefined)
    expect(withSeed).toHaveLength(5)
    for (const [did, { seed = '' }] of withSeed) {
      expect(formatDidKey(type, derivations[type](parseHex(seed)))).toBe(did)
    }
  })

  it('ed25519-x25519.json: the key agreement key is in the document, and signs nothing', () => {
    const withAgreement = read('ed25519-x25519.json').filter(
      ([, vector]) => vector.keyAgreementKeyPair,
    )
    expect(withAgreement).toHaveLength(5)
    for (const [did, vector] of withAgreement) {
      expectRefused(`${did}#${vector.keyAgreementKeyPair?.id.split('#').at(-1)}`)
    }
  })

  it('nist-curves.json: P-256 keys; other curves are refused', () => {
    const entries = read('nist-curves.json')
    const ours = entries.filter(([did]) => did.startsWith('did:key:zDn'))
    const others = entries.filter(([did]) => !did.startsWith('did:key:zDn'))
    expect([ours.length, others.length]).toEqual([3, 4])
    checkKeys('P-256', ours)
    checkRefused(others.map(([did]) => did))
  })

  it('key types that sign nothing here are refused, and are principals all the same', () => {
    const x25519: { didDocument: object }[] = Object.values(folder.json('x25519.json'))
    checkRefused(Object.keys(folder.json('bls12381.json')))
    checkRefused(Object.keys(folder.json('rsa.json')))
    checkRefused(x25519.flatMap((documents) => Object.keys(documents)))
    expect(tally.cases).toBe(30)
  })
})
