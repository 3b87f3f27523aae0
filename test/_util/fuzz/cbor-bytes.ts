/** CBOR as strangers write it: heads longer than needed, lengths that lie, keys twice, kinds that DAG-CBOR lacks. */
import * as fc from 'fast-check'
import { formatCidBytes } from '../../../src/protocol/cid.ts'
import { concatBytes, utf8 } from '../../../src/protocol/bytes.ts'
import { editedBytes } from './edits.ts'

const DEPTH_MAX = 5
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const TAG = 6

/** How much longer than needed a head is: mostly not at all. */
const excess = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
)
const integer = fc.oneof(
  fc.nat({ max: 30 }).map(BigInt),
  fc.constantFrom(0x17n, 0x18n, 0xffn, 0x100n, 0xffffn, 0x1_0000n, 0xffff_ffffn, 0x1_0000_0000n),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
)

function headOf(major: number, argument: bigint, longer: number): Uint8Array {
  const sizes = [0, 1, 2, 4, 8]
  const needed = argument < 24n ? 0 : sizes.findIndex((bytes) => argument < 1n << BigInt(8 * bytes))
  const size = sizes[Math.min(needed + longer, 4)] ?? 8
  if (size === 0) return Uint8Array.of((major << 5) | Number(argument))
  const head = Buffer.alloc(1 + size)
  head[0] = (major << 5) | (23 + sizes.indexOf(size))
  let rest = argument
  for (let index = size; index > 0; index--) {
    head[index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return head
}

const head = (major: number, argument: fc.Arbitrary<bigint>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(argument, excess).map(([value, longer]) => headOf(major, value, longer))

/** A head, with its true or another length, and what follows it. */
const withLength = (
  major: number,
  parts: readonly Uint8Array[],
  count: number,
  longer: number,
): Uint8Array => concatBytes([headOf(major, BigInt(count), longer), ...parts])

const shortText = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'aa',
    'roots',
    'version',
    '__proto__',
    'é',
    '\ufeff',
    '\ufeffa',
    't',
    's',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
)
const text = fc
  .tuple(shortText, excess)
  .map(([value, longer]) => withLength(TEXT, [utf8(value)], utf8(value).length, longer))
const bytes = fc
  .tuple(fc.uint8Array({ maxLength: 40 }), excess)
  .map(([value, longer]) => withLength(BYTES, [value], value.length, longer))
const brokenText = fc
  .uint8Array({ maxLength: 6 })
  .map((value) => withLength(TEXT, [value], value.length, 0))

const cid = fc
  .tuple(fc.constantFrom(0x55, 0x71, 0x12), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([codec, digest]) => formatCidBytes(codec, digest))
const linkBytes = fc
  .tuple(fc.constantFrom([0], [1], []), editedBytes(cid))
  .map(([prefix, value]) => concatBytes([Uint8Array.from(prefix), value]))
const link = fc
  .tuple(fc.constantFrom(42n, 42n, 42n, 41n, 2n), excess, linkBytes)
  .map(([tag, longer, value]) =>
    concatBytes([headOf(TAG, tag, longer), withLength(BYTES, [value], value.length, 0)]),
  )

const float64 = fc.double().map((value) => {
  const encoded = Buffer.alloc(9)
  encoded[0] = 0xfb
  encoded.writeDoubleBE(value, 1)
  return encoded
})
const simple = fc.constantFrom(
  [0xf4],
  [0xf5],
  [0xf6],
  [0xf7],
  [0xe0],
  [0xf8, 0x20],
  [0xf9, 0x3c, 0x00],
  [0xfa, 0x3f, 0x80, 0, 0],
  [0xff],
  [0x9f, 0xff],
  [0x5f, 0x41, 0, 0xff],
  [0x1c],
)

const { item } = fc.letrec<{
  item: Uint8Array
  leaf: Uint8Array
  list: Uint8Array
  map: Uint8Array
}>((tie) => ({
  item: fc.oneof({ maxDepth: DEPTH_MAX }, tie('leaf'), tie('list'), tie('map')),
  leaf: fc.oneof(
    head(UNSIGNED, integer),
    head(NEGATIVE, integer),
    text,
    bytes,
    link,
    float64,
    brokenText,
    simple.map((value) => Uint8Array.from(value)),
  ),
  list: fc
    .tuple(fc.array(tie('item'), { maxLength: 4 }), excess)
    .map(([items, longer]) => withLength(ARRAY, items, items.length, longer)),
  map: fc
    .tuple(
      fc.array(fc.tuple(fc.oneof({ weight: 9, arbitrary: text }, tie('leaf')), tie('item')), {
        maxLength: 4,
      }),
      excess,
    )
    .map(([members, longer]) => withLength(MAP, members.flat(), members.length, longer)),
}))

const nest = fc
  .tuple(fc.nat({ max: 80 }), fc.constantFrom([0x81], [0xa1, 0x61, 0x61], [0x80]))
  .map(([depth, [...opening]]) =>
    Uint8Array.from([...Array.from({ length: depth }, () => opening).flat(), 0]),
  )

export const cborBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 5, arbitrary: item },
  { weight: 4, arbitrary: editedBytes(item) },
  { weight: 1, arbitrary: nest },
)
