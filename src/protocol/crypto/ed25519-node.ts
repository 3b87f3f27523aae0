import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { type Ed25519Backend } from './ed25519.ts'
import { publicKeyObject } from './key-object.ts'
import { concatBytes, parseHex, plainBytes } from '../bytes.ts'

/** PKCS #8 of RFC 8410 up to the seed. */
const PKCS8_HEAD = parseHex('302e020100300506032b657004220420')
/** SPKI of RFC 8410 up to the key. */
const SPKI_HEAD = parseHex('302a300506032b6570032100')

const privateKeyObject = (seed: Uint8Array): KeyObject =>
  createPrivateKey({
    key: Buffer.from(concatBytes([PKCS8_HEAD, seed])),
    format: 'der',
    type: 'pkcs8',
  })

/** OpenSSL by node:crypto. */
export function loadNodeEd25519(): Ed25519Backend {
  return {
    name: 'node:crypto',
    verify: (signature, message, publicKey) => {
      const key = publicKeyObject(SPKI_HEAD, publicKey)
      return key !== undefined && verify(undefined, message, key, signature)
    },
    sign: (message, seed) => plainBytes(sign(undefined, message, privateKeyObject(seed))),
    publicKey: (seed) => {
      const spki = createPublicKey(privateKeyObject(seed)).export({ format: 'der', type: 'spki' })
      return plainBytes(spki.subarray(SPKI_HEAD.length))
    },
  }
}
