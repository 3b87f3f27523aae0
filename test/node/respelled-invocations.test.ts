/**
 * An ECDSA signature has a second spelling, so a token has a second text. Goal: it is the same invocation all the same
 * (TOKEN-6, INV-9): once one spelling was applied, the other is refused.
 */
import { createECDH, createPrivateKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { secp256k1PublicKey, signSecp256k1 } from '../../src/protocol/crypto/secp256k1.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { formatDidKey } from '../../src/protocol/did.ts'
import { signSessionDelegation } from '../../src/protocol/client/wallet-tokens.ts'
import { formatUcan } from '../../src/protocol/ucan.ts'
import {
  type Account,
  assertOk,
  invoke,
  KV_ABILITIES,
  kv,
  kvResource,
  newNonce,
  nowS,
  openAccount,
  postDelegation,
} from '../_util/client.ts'
import { useRunningNode } from '../_util/running-node.ts'

const node = useRunningNode('respelled')

interface EcdsaKey {
  readonly algorithm: 'ES256' | 'ES256K'
  readonly did: string
  /** Of the curve. */
  readonly order: bigint
  sign(message: Uint8Array): Uint8Array
}

function createP256Key(): EcdsaKey {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  const point = ecdh.getPublicKey()
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: ecdh.getPrivateKey().toString('base64url'),
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const key: KeyObject = createPrivateKey({ key: jwk, format: 'jwk' })
  return {
    algorithm: 'ES256',
    did: formatDidKey('P-256', ecdh.getPublicKey(null, 'compressed')),
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    sign: (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  }
}

function createSecp256k1Key(): EcdsaKey {
  const secret = randomBytes(32)
  return {
    algorithm: 'ES256K',
    did: formatDidKey('secp256k1', secp256k1PublicKey(secret, true)),
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    sign: (message) => signSecp256k1(sha256(message), secret).compact,
  }
}

/** The same token with the other s. */
function respell(token: string, order: bigint): string {
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(parseBase64url(token.slice(end + 1), { padding: 'none' }))
  const s = BigInt(`0x${signature.toString('hex', 32)}`)
  signature.write((order - s).toString(16).padStart(64, '0'), 32, 'hex')
  return `${token.slice(0, end)}.${formatBase64url(signature, { padding: 'none' })}`
}

async function openSession(account: Account, key: EcdsaKey): Promise<string> {
  const session = signSessionDelegation(account.wallet, {
    domain: 'tests.example',
    nonce: randomBytes(8).toString('hex'),
    issuedAtS: nowS(),
    expiresAtS: nowS() + 600,
    audience: key.did,
    abilities: { [kvResource(account.space)]: KV_ABILITIES },
  })
  assertOk(await postDelegation(node.connections, session), 'session')
  return session.cid
}

const issuePut = (account: Account, key: EcdsaKey, cid: string, path: string): string =>
  formatUcan({
    header: { alg: key.algorithm, typ: 'JWT', ucv: '0.10.0' },
    payload: {
      iss: `${key.did}#${key.did.slice('did:key:'.length)}`,
      aud: key.did,
      exp: nowS() + 60,
      nnc: newNonce(),
      prf: [cid],
      att: { [kvResource(account.space, path)]: { 'tinycloud.kv/put': [{}] } },
    },
    sign: (message) => key.sign(message),
  })

describe.each([
  ['ES256', createP256Key],
  ['ES256K', createSecp256k1Key],
] as const)('%s', (_name, createKey) => {
  it('refuses the other spelling of an applied invocation', async () => {
    const account = await openAccount(node.connections)
    const key = createKey()
    const cid = await openSession(account, key)
    const token = issuePut(account, key, cid, 'a')
    const other = respell(token, key.order)
    expect(other).not.toBe(token)

    const first = await invoke(node.connections, { authorization: token }, { body: 'first' })
    expect([first.status, first.text()]).toEqual([200, ''])
    const second = await invoke(node.connections, { authorization: other }, { body: 'second' })
    expect([second.status, second.text()]).toEqual([409, 'duplicate invocation'])
    expect((await kv(node.connections, account, 'get', 'a')).text()).toBe('first')
  })

  it('accepts either spelling, so that the refusal above is one of the repetition', async () => {
    const account = await openAccount(node.connections)
    const key = createKey()
    const cid = await openSession(account, key)
    const other = respell(issuePut(account, key, cid, 'b'), key.order)
    const reply = await invoke(node.connections, { authorization: other }, { body: 'b' })
    expect([reply.status, reply.text()]).toEqual([200, ''])
  })
})
