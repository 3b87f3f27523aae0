/** Vectors for what things are called: DIDs, spaces, resources; and for what covers what. */
import { GUEST, OWNER, SESSION, SPACE } from '../credentials.ts'
import { casesOf, MALFORMED, type Refused, type VectorSuite } from './vector-suite.ts'

type OrRefused<T> = T | Refused

const LOWER_DID = OWNER.did.replace(OWNER.address, OWNER.address.toLowerCase())
const LOWER_SPACE = SPACE.replace(OWNER.address, OWNER.address.toLowerCase())

type DidExpect = OrRefused<{ readonly principal: string }>
const principal = (did: string): DidExpect => ({ principal: did })

export const DIDS: VectorSuite<string, DidExpect> = {
  suite: 'dids',
  about: 'input: an issuer or an audience; expect: the principal by which it is compared',
  cases: casesOf<string, DidExpect>('DID-1', 'R 2.5', {
    'an account': [OWNER.did, principal(OWNER.did)],
    'an account in small letters': [LOWER_DID, principal(OWNER.did)],
    'an account with fragment': [`${LOWER_DID}#blockchainAccountId`, principal(OWNER.did)],
    'an account on another chain': [
      OWNER.did.replace(':1:', ':137:'),
      principal(OWNER.did.replace(':1:', ':137:')),
    ],
    'a key': [SESSION.did, principal(SESSION.did)],
    'a key with fragment': [SESSION.didUrl, principal(SESSION.did)],
    'a method that nobody resolves': ['did:example:a', principal('did:example:a')],
    'no DID': ['urn:x', MALFORMED],
    'no identifier': ['did:key:', MALFORMED],
    'a method in capitals': ['did:KEY:z6Mk', MALFORMED],
    'a path': ['did:example:a/b', MALFORMED],
    'a query': ['did:example:a?b', MALFORMED],
    'a blank': ['did:example:a b', MALFORMED],
  }),
}

interface ResourceExpect {
  readonly kind: 'space' | 'other'
  readonly text: string
  readonly owner?: string
  readonly name?: string
  readonly service?: string
  /** null: there is none. */
  readonly path?: string | null
}
const inKv = (text: string, path: string | null): ResourceExpect => ({
  kind: 'space',
  text,
  owner: OWNER.did,
  name: 'default',
  service: 'kv',
  path,
})
const other = (text: string): readonly [string, ResourceExpect] => [text, { kind: 'other', text }]
const kv = (rest: string): string => `${SPACE}/kv${rest}`

export const RESOURCES: VectorSuite<string, OrRefused<ResourceExpect>> = {
  suite: 'resources',
  about: 'input: a key of `att`; expect: its parts, the address in EIP-55 spelling',
  cases: casesOf<string, OrRefused<ResourceExpect>>('RES-1', 'R 2.6', {
    'a service': [kv(''), inKv(kv(''), null)],
    'the key of no characters': [kv('/'), inKv(kv('/'), '')],
    'a key': [kv('/a/b'), inKv(kv('/a/b'), 'a/b')],
    'a key with query and fragment': [kv('/a?q#f'), inKv(kv('/a?q#f'), 'a')],
    'an address in small letters': [`${LOWER_SPACE}/kv/a`, inKv(kv('/a'), 'a')],
    'an escape that is needed': [kv('/a%20b'), inKv(kv('/a%20b'), 'a%20b')],
    'a doubled slash': [kv('//a'), inKv(kv('//a'), '/a')],
    'a space of a key': [
      `tinycloud:${GUEST.did.slice(4)}:x/kv`,
      {
        kind: 'space',
        text: `tinycloud:${GUEST.did.slice(4)}:x/kv`,
        owner: GUEST.did,
        name: 'x',
        service: 'kv',
        path: null,
      },
    ],
    'another URI': other('https://example.com/a'),
    'a space alone': other(SPACE),
    'a dot segment': other(kv('/a/../b')),
    'a dot segment at the end': other(kv('/a/.')),
    'an escaped letter': other(kv('/%61')),
    'an escape in small letters': other(kv('/%2f')),
    'an authority': other('tinycloud://host/kv/a'),
    'a blank': [kv('/a b'), MALFORMED],
    'a letter beyond ASCII': [kv('/é'), MALFORMED],
    'a bracket': [kv('/a[0]'), MALFORMED],
    'a percent sign alone': [kv('/100%'), MALFORMED],
    'no scheme': ['kv/a', MALFORMED],
  }),
}

interface CoverInput {
  readonly base: string
  readonly child: string
}
type CoverExpect = { readonly covers: boolean }
const pair = (base: string, child: string, covers: boolean): readonly [CoverInput, CoverExpect] => [
  { base, child },
  { covers },
]

export const CONTAINMENT: VectorSuite<CoverInput, CoverExpect> = {
  suite: 'containment',
  about: 'input: two resources; expect: whether a right on `base` is a right on `child`',
  cases: [
    ...casesOf<CoverInput, CoverExpect>('RES-2', 'R 2.6', {
      itself: pair(kv('/a'), kv('/a'), true),
      'a service and its keys': pair(kv(''), kv('/a/b'), true),
      'a folder and what is in it': pair(kv('/a'), kv('/a/b'), true),
      'a folder with slash and what is in it': pair(kv('/a/'), kv('/a/b'), true),
      'a folder and the folder with slash': pair(kv('/a'), kv('/a/'), true),
      'a longer name': pair(kv('/foo'), kv('/foobar'), false),
      'a folder with slash and itself without': pair(kv('/a/'), kv('/a'), false),
      'the key of no characters is no folder': pair(kv('/'), kv('/a'), false),
      'a doubled slash is a folder': pair(kv('//'), kv('//a'), true),
      'what is above': pair(kv('/a/b'), kv('/a'), false),
      'the service, from a key': pair(kv('/a'), kv(''), false),
      'another service': pair(kv(''), `${SPACE}/sql`, false),
      'another space': pair(kv(''), `${OWNER.spaceId('other')}/kv`, false),
      'a longer name of a space': pair(kv(''), `${SPACE}2/kv`, false),
      'another spelling of the space': pair(`${LOWER_SPACE}/kv`, kv('/a'), true),
      'capitals in a key': pair(kv('/a'), kv('/A'), false),
      'a query does not count': pair(kv('/a?x'), kv('/a/b?y'), true),
      'a fragment counts': pair(kv('/a'), kv('/a#f'), false),
      'the same fragment': pair(kv('/a#f'), kv('/a/b#f'), true),
      'a dot segment is no key': pair(kv('/a'), kv('/a/../b'), false),
    }),
    ...casesOf<CoverInput, CoverExpect>('RES-3', 'R 2.6', {
      'other URIs by prefix': pair('urn:x', 'urn:xyz', true),
      'other URIs, the other way': pair('urn:xyz', 'urn:x', false),
      'an encryption network': pair(
        `urn:tinycloud:encryption:${OWNER.did}:n`,
        `urn:tinycloud:encryption:${OWNER.did}:n`,
        true,
      ),
      'a longer name of a network': pair(
        `urn:tinycloud:encryption:${OWNER.did}:n`,
        `urn:tinycloud:encryption:${OWNER.did}:n2`,
        false,
      ),
      'another URI and a space': pair('tinycloud:', kv('/a'), false),
    }),
  ],
}

interface AbilityInput {
  readonly granted: string
  readonly requested: string
}
const ability = (
  granted: string,
  requested: string,
  covers: boolean,
): readonly [AbilityInput, CoverExpect] => [{ granted, requested }, { covers }]

export const ABILITIES: VectorSuite<AbilityInput, CoverExpect> = {
  suite: 'abilities',
  about: 'input: two abilities; expect: whether who holds `granted` may do `requested`',
  cases: casesOf<AbilityInput, CoverExpect>('ABIL-1', 'R 2.7', {
    itself: ability('tinycloud.kv/get', 'tinycloud.kv/get', true),
    another: ability('tinycloud.kv/get', 'tinycloud.kv/put', false),
    'an alias': ability('tinycloud.kv/delete', 'tinycloud.kv/del', true),
    'an alias, the other way': ability('tinycloud.kv/del', 'tinycloud.kv/delete', true),
    'no wildcard of kv': ability('tinycloud.kv/*', 'tinycloud.kv/get', false),
    'no general wildcard': ability('*/*', 'tinycloud.kv/get', false),
    'the wildcard of sql': ability('tinycloud.sql/*', 'tinycloud.sql/write', true),
    'the wildcard of sql, by an alias': ability('tinycloud.sql/*', 'tinycloud.sql/select', true),
    'admin of sql': ability('tinycloud.sql/admin', 'tinycloud.sql/schema', true),
    'admin of sql does not write': ability('tinycloud.sql/admin', 'tinycloud.sql/write', false),
    capitals: ability('tinycloud.kv/get', 'tinycloud.kv/GET', false),
    'an unknown one': ability('x/y', 'x/y', true),
  }),
}

interface CaveatInput {
  readonly parent: readonly unknown[]
  readonly child: readonly unknown[]
  readonly use: 'delegation' | 'invocation'
}
const selector = (kind: string, value: string): unknown => ({
  type: 'xyz.tinycloud.resource/selector',
  kind,
  value,
})
const caveats = (
  parent: readonly unknown[],
  child: readonly unknown[],
  contains: boolean,
  use: CaveatInput['use'] = 'delegation',
): readonly [CaveatInput, { readonly contains: boolean }] => [{ parent, child, use }, { contains }]

export const CAVEATS: VectorSuite<CaveatInput, { readonly contains: boolean }> = {
  suite: 'caveats',
  about: 'input: two arrays of conditions; expect: whether `child` states what `parent` demands',
  cases: [
    ...casesOf<CaveatInput, { readonly contains: boolean }>('CAVEAT-1', 'R 2.10', {
      'none under none': caveats([{}], [{}], true),
      'any under none': caveats([{}], [{ a: 1 }], true),
      'none under one': caveats([{ a: 1 }], [{}], false),
      'the same': caveats([{ a: 1, b: [2] }], [{ b: [2], a: 1 }], true),
      'another value': caveats([{ a: 1 }], [{ a: 2 }], false),
      'a member more': caveats([{ a: 1 }], [{ a: 1, b: 2 }], false),
      'an entry more': caveats([{ a: 1 }], [{ a: 1 }, { b: 2 }], false),
      'two empty ones bind': caveats([{}, {}], [{}], false),
      'two empty ones, repeated': caveats([{}, {}], [{}, {}], true),
      'another order of entries': caveats([{ a: 1 }, { b: 1 }], [{ b: 1 }, { a: 1 }], false),
      'in an invocation': caveats([{ a: 1 }], [{ a: 1 }], true, 'invocation'),
    }),
    ...casesOf<CaveatInput, { readonly contains: boolean }>('CAVEAT-2', 'R 2.10', {
      'a narrower selector': caveats([selector('prefix', 'a')], [selector('prefix', 'a/b')], true),
      'an exact one in a prefix': caveats(
        [selector('prefix', 'a')],
        [selector('exact', 'a/b')],
        true,
      ),
      'a longer name': caveats([selector('prefix', 'a')], [selector('exact', 'ab')], false),
      'a prefix in an exact one': caveats(
        [selector('exact', 'a')],
        [selector('prefix', 'a')],
        false,
      ),
      'an invocation repeats it': caveats(
        [selector('prefix', 'a')],
        [selector('prefix', 'a/b')],
        false,
        'invocation',
      ),
    }),
  ],
}
