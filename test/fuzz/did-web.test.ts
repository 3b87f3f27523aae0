/** did:web: where a document lies is always a host of the public web, and a document gives only keys of its own subject. */
import * as fc from 'fast-check'
import { isIP } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import {
  didDocumentUrl,
  findWebKey,
  parseDidDocument,
  type WebKey,
} from '../../src/protocol/did-web.ts'
import { formatJcs } from '../../src/protocol/json.ts'
import {
  DID_DOCUMENT_BYTES_MAX,
  DID_DOCUMENT_DEPTH_MAX,
  DID_DOCUMENT_METHODS_MAX,
} from '../../src/protocol/limits.ts'
import { editedText } from '../_util/fuzz/edits.ts'
import { describeTextFuzz } from '../_util/fuzz/harness.ts'
import { jsonTexts } from '../_util/fuzz/json-texts.ts'
import { readJson } from '../_util/fuzz/reference-json.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'
import { multibaseOf } from '../_util/web-documents.ts'

const DID = 'did:web:web.example'
const CODES = ['SIGNATURE_INVALID', 'TOKEN_MALFORMED'] as const
const KEY_BYTES = { Ed25519: [32], secp256k1: [33, 65], 'P-256': [33, 65] } as const

const names = ['#key-1', '#key-2', `${DID}#key-1`, `${DID}#key-3`, 'did:web:evil.example#key-1', '']
const seeds = [1, 2, 3].map((byte) => Buffer.alloc(32, byte))
const ED25519 = seeds.map(multibaseOf)
/** A public key of each curve, from RFC 8037 A.2, RFC 7515 A.3 and the generator of secp256k1. */
const JWKS = [
  { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
  {
    kty: 'EC',
    crv: 'secp256k1',
    x: 'eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g',
    y: 'SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg',
    use: 'sig',
  },
]

const method = fc.record(
  {
    id: fc.constantFrom<unknown>(...names, 7),
    type: fc.constantFrom<unknown>('Multikey', 'JsonWebKey', null),
    controller: fc.constantFrom<unknown>(DID, DID, DID, 'did:web:evil.example', null, ['x']),
    publicKeyMultibase: fc.constantFrom<unknown>(
      ...ED25519,
      'z',
      'u',
      '',
      7,
      `z${'1'.repeat(300)}`,
    ),
    publicKeyJwk: fc.constantFrom<unknown>(...JWKS, {}, null, { ...JWKS[0], use: 'enc' }),
  },
  { requiredKeys: ['id'] },
)
/** Keys as they should be, so that most documents have some. */
const goodMethod = fc
  .tuple(fc.constantFrom('#key-1', '#key-2', '#key-3', '#key-4'), fc.constantFrom(...ED25519))
  .map(([id, publicKeyMultibase]) => ({ id, type: 'Multikey', publicKeyMultibase }))
const methods = fc.array(fc.oneof({ weight: 4, arbitrary: goodMethod }, method), { maxLength: 5 })
const relationship = fc.array(
  fc.oneof(fc.constantFrom(...names), goodMethod, method, fc.jsonValue()),
  {
    maxLength: 3,
  },
)
const documents = fc
  .record(
    {
      id: fc.constantFrom<unknown>(DID, DID, DID, DID, DID, 'did:web:evil.example', null),
      verificationMethod: fc.oneof({ weight: 6, arbitrary: methods }, fc.jsonValue()),
      authentication: relationship,
      assertionMethod: relationship,
      keyAgreement: relationship,
    },
    { requiredKeys: ['id'] },
  )
  .map((document) => JSON.stringify(document))
/** As many methods as a document may have, and one more. */
const crowds = fc
  .integer({ min: DID_DOCUMENT_METHODS_MAX - 1, max: DID_DOCUMENT_METHODS_MAX + 1 })
  .map((count) =>
    JSON.stringify({
      id: DID,
      verificationMethod: Array.from({ length: count }, (_, index) => ({
        id: `#key-${index}`,
        publicKeyMultibase: createSessionKey(Buffer.alloc(32, index + 1)).did.slice(
          'did:key:'.length,
        ),
      })),
    }),
  )

const readKeys = (text: string): WebKey[] | undefined =>
  verdictOf(CODES, () => parseDidDocument(utf8(text), DID)).value

function assertKeys(keys: readonly WebKey[]): void {
  assertTrue(keys.length <= DID_DOCUMENT_METHODS_MAX, 'keys are limited')
  assertTrue(new Set(keys.map(({ id }) => id)).size === keys.length, 'a name means one key')
  for (const { id, key } of keys) {
    assertTrue(id.startsWith(`${DID}#`), 'each is a key of the subject')
    assertTrue(
      KEY_BYTES[key.type].some((bytes) => bytes === key.publicKey.length),
      'and has the length of its kind',
    )
    assertTrue(findWebKey(keys, id) === key, 'and is found under its name')
  }
  assertTrue(findWebKey(keys, `${DID}#none-of-them`) === undefined, 'no other name finds one')
  const only = keys.length === 1 ? keys[0]?.key : undefined
  assertTrue(findWebKey(keys, DID) === only, 'without a name there is no choice')
}

const shown = (list: readonly WebKey[]): string[] =>
  list.map(({ id, key }) => `${id} ${key.type} ${toHex(key.publicKey)}`).toSorted()

describeTextFuzz({
  name: 'did:web document',
  inputs: fc.oneof(
    { weight: 8, arbitrary: documents },
    { weight: 8, arbitrary: editedText(documents) },
    { weight: 1, arbitrary: crowds },
    { weight: 1, arbitrary: jsonTexts },
  ),
  check: (text) => {
    assertTrue(text.length <= DID_DOCUMENT_BYTES_MAX, 'as long as a document may be')
    const keys = readKeys(text)
    if (!keys) return false
    assertKeys(keys)
    const reference = readJson(text, DID_DOCUMENT_DEPTH_MAX)
    // An unpaired surrogate is no text in UTF-8: the node reads other bytes than the other reader.
    if (!text.isWellFormed()) return keys.length > 0
    if (!reference) throw new Error('not true: only JSON is taken')
    const again = readKeys(formatJcs(reference.value))
    assertTrue(
      again !== undefined && isDeepStrictEqual(shown(again), shown(keys)),
      'another spelling of it means the same',
    )
    return keys.length > 0
  },
})

const hosts = [
  'web.example',
  'a.b',
  'localhost',
  '127.0.0.1',
  '0x7f.1',
  '1.2.3.4',
  'xn--e1a.example',
]
const addresses = fc
  .tuple(
    fc.constantFrom(...hosts, '[::1]', 'a..b', '-a.b', 'user@web.example', 'web.example.', '..'),
    fc.constantFrom('', '', '', '%3A443', '%3a8443', '%3A80', '%3A65536', '%3A0443', ':443'),
    fc.array(
      fc.constantFrom('user', '..', '.', '%2e%2E', '%2F', '%00', 'a%20b', '?', '#', '@', ''),
      {
        maxLength: 3,
      },
    ),
  )
  .map(([host, port, path]) => [host + port, ...path].join(':'))

describeTextFuzz({
  name: 'did:web address',
  inputs: fc.oneof(addresses, editedText(addresses)).map((address) => `did:web:${address}`),
  check: (did) => {
    const { value: url } = verdictOf(CODES, () => didDocumentUrl(did))
    if (!url) return false
    assertTrue(url.protocol === 'https:', 'it is asked for over HTTPS')
    assertTrue(isIP(url.hostname.replaceAll(/[[\]]/g, '')) === 0, 'no address stands for a host')
    assertTrue(url.hostname.includes('.'), 'a host has a domain')
    assertTrue(url.port === '' || Number(url.port) >= 1024, 'no service but HTTPS')
    assertTrue(url.username + url.password === '', 'nobody is named')
    assertTrue(url.search + url.hash === '', 'it is a document and no question')
    assertTrue(url.pathname.endsWith('/did.json'), 'of the name that documents have')
    assertTrue(!/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(url.pathname), 'and lies below its host')
    return true
  },
})
