/** DIDs, space ids and resource URIs: well formed, nearly so, and as somebody who wants to get out of his folder writes them. */
import * as fc from 'fast-check'
import { GUEST, OWNER, SESSION } from '../credentials.ts'
import { editedText } from './edits.ts'

const hexDigit = fc.constantFrom(...'0123456789abcdefABCDEF'.split(''))
const address = fc.oneof(
  fc.constantFrom(OWNER.address, OWNER.address.toLowerCase(), `0x${'0'.repeat(40)}`),
  fc.string({ unit: hexDigit, minLength: 40, maxLength: 40 }).map((digits) => `0x${digits}`),
)
const chainId = fc.constantFrom(
  '1',
  '137',
  '0',
  '01',
  '115792089237316195423570985008687907853269984665',
)
const jwk = Buffer.from(
  '{"crv":"Ed25519","kty":"OKP","x":"ivs7yd3aMErVwq3LiUWZ37SIbN6iVcPxOVRFl_1vKXc"}',
).toString('base64url')

const principal = fc.oneof(
  fc.tuple(chainId, address).map(([chain, account]) => `did:pkh:eip155:${chain}:${account}`),
  fc.constantFrom(SESSION.did, GUEST.did, `did:jwk:${jwk}`),
  fc.constantFrom('did:web:example.com:user:x', 'did:example:a:b:c', 'did:pkh:solana:4sGj:Gg'),
)
const fragment = fc.constantFrom(
  '',
  `#${SESSION.did.slice('did:key:'.length)}`,
  '#0',
  '#blockchainAccountId',
  '#',
  '#x?y/z',
)
export const dids: fc.Arbitrary<string> = fc
  .tuple(principal, fragment)
  .map(([did, name]) => did + name)
export const didTexts: fc.Arbitrary<string> = editedText(dids)

const spaceName = fc.oneof(
  fc.constantFrom('default', 'a', '.', '..', '...', '_', 'a%2Fb', 'a%20b', '~', 'A', '%2E%2E'),
  fc.string({ unit: fc.constantFrom(...'abAB09-._~%'.split('')), minLength: 1, maxLength: 6 }),
)
export const spaceIds: fc.Arbitrary<string> = fc
  .tuple(principal, spaceName)
  .map(([did, name]) => `tinycloud:${did.slice('did:'.length)}:${name}`)

/** Few and short, so that paths meet, and one is often the beginning of another. */
const segment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', 'ab', '', 'a.b', '%2F', '%20', "it's", '(1)', '+@:='),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('.', '..', '%2e%2e', '%61', '..a', '%252F', '%00', '...'),
  },
)
export const paths: fc.Arbitrary<string> = fc
  .array(segment, { maxLength: 4 })
  .map((segments) => segments.join('/'))

const service = fc.constantFrom('kv', 'kv', 'kv', 'sql', 'space', 'capabilities', 'KV')
const tail = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('?', '?a=b', '#', '#f', '?a#f', '#f?a', '?/..', '#/../'),
  },
)

/** Resources of a space that differ in little. */
export const spaceResources = (spaces: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(spaces, service, fc.option(paths, { freq: 4, nil: undefined }), tail)
    .map(([space, name, path, rest]) =>
      path === undefined ? `${space}/${name}${rest}` : `${space}/${name}/${path}${rest}`,
    )

const otherUris = fc.constantFrom(
  'urn:cid:bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi',
  `urn:tinycloud:encryption:${OWNER.did}:net`,
  `urn:tinycloud:encryption:${OWNER.did}:net2`,
  'https://user:pw@example.com:443/a/../b?c#d',
  'https://[::1]/a',
  'urn:x',
  'urn:x:y',
  'tinycloud://host/kv/a',
  'tinycloud:pkh',
)

export const resourceTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: spaceResources(spaceIds) },
  { weight: 4, arbitrary: editedText(spaceResources(spaceIds)) },
  { weight: 1, arbitrary: otherUris },
  { weight: 1, arbitrary: editedText(otherUris) },
)

const kindred = fc.oneof(
  {
    weight: 8,
    arbitrary: spaceResources(
      fc.constantFrom(
        OWNER.spaceId('default'),
        OWNER.spaceId('default').toLowerCase(),
        OWNER.spaceId('default2'),
      ),
    ),
  },
  { weight: 1, arbitrary: otherUris },
)
const more = fc.oneof(
  fc.constantFrom('', '/', 'b', '/b'),
  paths,
  paths.map((path) => `/${path}`),
)

/** Three resources, each often inside the one before it. */
export const kindredResources: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(kindred, more, more).map(([a, b, c]) => [a, a + b, a + b + c]) },
  { weight: 1, arbitrary: fc.array(kindred, { minLength: 3, maxLength: 3 }) },
)
