/**
 * Vectors for what a node derives: host DIDs from its secret, and the blocks of its history. Worked out with other
 * libraries than the node's own code.
 */
import { encode } from '@ipld/dag-cbor'
import { ed25519 } from '@noble/curves/ed25519.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { GUEST, OWNER, SPACE } from '../credentials.ts'
import { casesOf, type VectorSuite } from './vector-suite.ts'

interface HostInput {
  readonly secretHex: string
  /** null: the node itself. */
  readonly space: string | null
}
interface HostExpect {
  readonly did: string
}

const NINES = '09'.repeat(32)
const ED25519_KEY = Buffer.of(0xed, 0x01)

function hostKey(space: string | null): readonly [HostInput, HostExpect] {
  const secret = Buffer.from(NINES, 'hex')
  const seed = blake3(Buffer.concat([secret, Buffer.from(space ?? 'tinycloud/node/identity')]))
  const key = Buffer.concat([ED25519_KEY, ed25519.getPublicKey(seed)])
  return [{ secretHex: NINES, space }, { did: `did:key:${base58btc.encode(key)}` }]
}

export const HOST_KEYS: VectorSuite<HostInput, HostExpect> = {
  suite: 'host-keys',
  about: 'input: the secret of a node and a space, or null for the node itself; expect: the DID',
  cases: casesOf<HostInput, HostExpect>('HOST-3', 'R 1.4', {
    'a space of an account': hostKey(SPACE),
    'another space of it': hostKey(OWNER.spaceId('other')),
    'a space of a key': hostKey(`tinycloud:${GUEST.did.slice('did:'.length)}:x`),
    'the node': hostKey(null),
  }),
}

const RAW = 0x55
const DAG_CBOR = 0x71
const BLAKE3 = 0x1e

type Block =
  | { readonly key: string; readonly valueHex: string; readonly metadata: Record<string, string> }
  | { readonly key: string; readonly version: null }
  | {
      readonly events: readonly {
        readonly tokenHex: string
        readonly operationsHex: readonly string[]
      }[]
      readonly parentsHex: readonly string[]
    }
interface BlockExpect {
  readonly blockHex: string
  /** With codec dag-cbor. */
  readonly cid: string
}

const cid = (codec: number, digestHex: string): CID =>
  CID.createV1(codec, create(BLAKE3, Buffer.from(digestHex, 'hex')))

function dagOf(block: Block): unknown {
  if ('version' in block) return block
  if ('key' in block) {
    const { key, valueHex, metadata } = block
    return { key, value: cid(RAW, valueHex), metadata }
  }
  return {
    events: block.events.map(({ tokenHex, operationsHex }) => {
      const token = cid(RAW, tokenHex)
      const operations = operationsHex.map((digest) => cid(DAG_CBOR, digest))
      return operations.length === 0 ? token : [token, ...operations]
    }),
    parents: block.parentsHex.toSorted().map((digest) => cid(DAG_CBOR, digest)),
  }
}

function expected(block: Block): readonly [Block, BlockExpect] {
  const bytes = encode(dagOf(block))
  const digest = Buffer.from(blake3(bytes)).toString('hex')
  return [
    block,
    { blockHex: Buffer.from(bytes).toString('hex'), cid: cid(DAG_CBOR, digest).toString() },
  ]
}

const [ONES, TWOS, HELLO] = [
  '11'.repeat(32),
  '22'.repeat(32),
  'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
]
const put = (key: string, metadata: Record<string, string> = {}): readonly [Block, BlockExpect] =>
  expected({ key, valueHex: HELLO, metadata })
const epoch = (
  events: Extract<Block, { events: unknown }>['events'],
  parentsHex: readonly string[] = [],
): readonly [Block, BlockExpect] => expected({ events, parentsHex })

export const HISTORY: VectorSuite<Block, BlockExpect> = {
  suite: 'history',
  about: 'input: an operation or an epoch, digests in hexadecimal; expect: its block',
  cases: [
    ...casesOf<Block, BlockExpect>('EPOCH-2', 'D', {
      'a put': put('a', { 'content-type': 'text/plain' }),
      'a put without headers': put('a/b'),
      'a put of the key of no characters': put(''),
      'a put with three headers': put('a', {
        'x-tinycloud-meta-b': '2',
        'content-type': 'é',
        a: '',
      }),
      'a put under a long key': put('k'.repeat(300)),
      'a delete': expected({ key: 'a', version: null }),
    }),
    ...casesOf<Block, BlockExpect>('EPOCH-1', 'D', {
      'the first epoch': epoch([{ tokenHex: HELLO, operationsHex: [] }]),
      'an event with operations': epoch([{ tokenHex: HELLO, operationsHex: [TWOS, ONES] }], [ONES]),
      'two events, two parents': epoch(
        [
          { tokenHex: TWOS, operationsHex: [] },
          { tokenHex: ONES, operationsHex: [HELLO] },
        ],
        [TWOS, ONES],
      ),
    }),
  ],
}
