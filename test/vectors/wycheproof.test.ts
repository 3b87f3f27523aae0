/** ECDSA, Ed25519 and the strictness of JWS. The other files of the suite test primitives that the node does not use. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { formatBase64url, parseBase64url } from '../../src/protocol/base64url.ts'
import { parseHex, parseUtf8, utf8 } from '../../src/protocol/bytes.ts'
import { type BackendChoice } from '../../src/protocol/crypto/backend-choice.ts'
import { selectBackends } from '../../src/protocol/crypto/backends.ts'
import { ed25519Backends, verifyEd25519 } from '../../src/protocol/crypto/ed25519.ts'
import { p256Backends, verifyP256 } from '../../src/protocol/crypto/p256.ts'
import { secp256k1Backends, verifySecp256k1 } from '../../src/protocol/crypto/secp256k1.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { resolveVerificationKey } from '../../src/protocol/did.ts'
import { asObject, parseStrictJson } from '../../src/protocol/json.ts'
import { describeVectors, type VectorFolder } from '../_util/vectors.ts'

interface SignatureGroup {
  readonly publicKey: { readonly pk?: string; readonly uncompressed?: string }
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly msg: string
    readonly sig: string
    readonly result: string
  }[]
}

interface SignatureCase {
  readonly title: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly isValid: boolean
}

interface JwsGroup {
  readonly comment: string
  readonly public?: { readonly keys?: readonly object[] }
  readonly private?: { readonly k?: string }
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws: string
    readonly result: string
  }[]
}

interface JwsCase {
  readonly group: string
  readonly tcId: number
  readonly title: string
  readonly publicKey: object
  readonly secret: Uint8Array
  readonly jws: string
  readonly isValid: boolean
}

const MISTAKEN_VERDICTS: ReadonlyMap<number, string> = new Map([
  [367, 'the same bytes as 357, which is valid: the padding that it describes is lost'],
  [370, 'the same bytes as 357, which is valid: the padding that it describes is lost'],
  [372, 'called valid though `?` stands inside the header'],
  [373, 'called valid though `?` stands inside the payload'],
])

function signatureCases(folder: VectorFolder, name: string): SignatureCase[] {
  const { testGroups }: { testGroups: SignatureGroup[] } = folder.json(name)
  return testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, comment, msg, sig, result }) => ({
      title: `${tcId} ${comment}`,
      key: parseHex(publicKey.pk ?? publicKey.uncompressed ?? ''),
      message: parseHex(msg),
      signature: parseHex(sig),
      isValid: result === 'valid',
    })),
  )
}

function jwsCases(folder: VectorFolder, name: string): JwsCase[] {
  const { testGroups }: { testGroups: JwsGroup[] } = folder.json(name)
  return testGroups.flatMap(
    ({ comment: group, public: publicKey = {}, private: secretKey, tests }) =>
      tests.map(({ tcId, comment, jws, result }) => ({
        group,
        tcId,
        title: `${tcId} ${comment}`,
        publicKey: publicKey.keys?.[0] ?? publicKey,
        secret: parseBase64url(secretKey?.k ?? '', { padding: 'none' }),
        jws,
        isValid: result === 'valid',
      })),
  )
}

/** The verdict of every backend of this machine, by name. */
function verdicts<B extends { readonly name: string }>(
  choice: BackendChoice<B>,
  verify: () => boolean,
): Record<string, boolean> {
  const all = choice.available().map((backend) => {
    choice.use(backend)
    return [backend.name, verify()] as const
  })
  return Object.fromEntries(all)
}

const unanimous = (names: readonly string[], verdict: boolean): Record<string, boolean> =>
  Object.fromEntries(names.map((name) => [name, verdict]))

/** Whether a compact JWS is strictly encoded, says `alg`, and is signed. */
function isGoodJws(
  jws: string,
  alg: string,
  verify: (input: Uint8Array, signature: Uint8Array) => boolean,
): boolean {
  try {
    const [header = '', payload = '', signature = '', ...rest] = jws.split('.')
    const text = parseUtf8(parseBase64url(header, { padding: 'none' }))
    const isOurs =
      asObject(parseStrictJson(text, { depthMax: 8 }))['alg'] === alg && rest.length === 0
    parseBase64url(payload, { padding: 'none' })
    const signed = utf8(`${header}.${payload}`)
    return isOurs && verify(signed, parseBase64url(signature, { padding: 'none' }))
  } catch {
    return false
  }
}

const didOfJwk = (jwk: object): string =>
  `did:jwk:${formatBase64url(utf8(JSON.stringify(jwk)), { padding: 'none' })}`

/** ES256 with the key of a did:jwk. */
function isGoodEs256(jwk: object, jws: string): boolean {
  return isGoodJws(jws, 'ES256', (input, signature) => {
    const key = resolveVerificationKey(didOfJwk(jwk))
    return key.type === 'P-256' && verifyP256(signature, input, key.publicKey)
  })
}

function isGoodHs256(secret: Uint8Array, jws: string): boolean {
  return isGoodJws(jws, 'HS256', (input, signature) => {
    const mac = createHmac('sha256', secret).update(input).digest()
    return mac.length === signature.length && timingSafeEqual(mac, signature)
  })
}

describe('signatures', () => {
  afterAll(() => {
    selectBackends()
  })

  describeVectors('wycheproof', (folder, tally) => {
    it('Ed25519: the verdict of the suite, on every backend', () => {
      const names = ed25519Backends.available().map(({ name }) => name)
      const cases = signatureCases(folder, 'ed25519_test.json')
      expect(cases).toHaveLength(151)
      for (const { title, key, message, signature, isValid } of cases) {
        tally.check(`ed25519 ${title}`, () => {
          const found = verdicts(ed25519Backends, () => verifyEd25519(signature, message, key))
          expect(found).toEqual(unanimous(names, isValid))
        })
      }
    })

    it('ES256K: the verdict of the suite, high s included, on every backend', () => {
      const names = secp256k1Backends.available().map(({ name }) => name)
      const cases = signatureCases(folder, 'ecdsa_secp256k1_sha256_p1363_test.json')
      expect(cases).toHaveLength(252)
      for (const { title, key, message, signature, isValid } of cases) {
        tally.check(`secp256k1 ${title}`, () => {
          const found = verdicts(secp256k1Backends, () =>
            verifySecp256k1(signature, sha256(message), key),
          )
          expect(found).toEqual(unanimous(names, isValid))
        })
      }
    })

    it('ES256: the verdict of the suite, high s included, on every backend', () => {
      const names = p256Backends.available().map(({ name }) => name)
      const cases = signatureCases(folder, 'ecdsa_secp256r1_sha256_p1363_test.json')
      expect(cases).toHaveLength(262)
      for (const { title, key, message, signature, isValid } of cases) {
        tally.check(`P-256 ${title}`, () => {
          const found = verdicts(p256Backends, () => verifyP256(signature, message, key))
          expect(found).toEqual(unanimous(names, isValid))
        })
      }
    })

    it('JWS with ES256: signatures, malformed tokens, keys for another use', () => {
      const groups = ['es256', 'SpecialCaseEs256', 'ec_key_for_encryption']
      const cases = jwsCases(folder, 'json_web_signature_test.json').filter(({ group }) =>
        groups.includes(group),
      )
      expect(cases).toHaveLength(15 + 24 + 2)
      for (const { title, publicKey, jws, isValid } of cases) {
        tally.check(`jws ${title}`, () => {
          expect(isGoodEs256(publicKey, jws)).toBe(isValid)
        })
      }
    })

    it('JWS in base64url: nothing but the alphabet, no loose bits', () => {
      const cases = jwsCases(folder, 'json_web_signature_test.json').filter(
        ({ group }) => group === 'base64',
      )
      expect(cases).toHaveLength(21)
      const decidable = cases.filter(({ tcId }) => !MISTAKEN_VERDICTS.has(tcId))
      for (const { title, secret, jws, isValid } of decidable) {
        tally.check(`jws ${title}`, () => {
          expect(isGoodHs256(secret, jws)).toBe(isValid)
        })
      }
      const mistaken = cases.filter(({ tcId }) => MISTAKEN_VERDICTS.has(tcId))
      expect(mistaken).toHaveLength(4)
      for (const { tcId, title, secret, jws, isValid } of mistaken) {
        tally.deviate(`jws ${title}`, MISTAKEN_VERDICTS.get(tcId) ?? '', () => {
          expect(isGoodHs256(secret, jws)).toBe(!isValid)
        })
      }
    })

    it('JWK of another curve, algorithm, use or kind, or off its curve, verifies nothing', () => {
      const cases = jwsCases(folder, 'json_web_key_test.json').filter(
        ({ tcId }) => tcId >= 19 && tcId <= 24,
      )
      expect(cases).toHaveLength(6)
      for (const { title, publicKey, jws, isValid } of cases) {
        tally.check(`jwk ${title}`, () => {
          expect(isGoodEs256(publicKey, jws)).toBe(isValid)
        })
      }
    })
  })
})
