/** Goal: the written blocks are exactly what the general DAG-CBOR encoder makes of the same value. */
import { decode, encode } from '@ipld/dag-cbor'
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { BLAKE3_CODE, DAG_CBOR_CODEC, RAW_CODEC } from '../../src/protocol/cid.ts'
import { formatEpoch, formatOperation } from '../../src/protocol/history.ts'

const linkOf = (codec: number, digest: Uint8Array): CID =>
  CID.createV1(codec, Digest.create(BLAKE3_CODE, digest))
const digests = fc.uint8Array({ minLength: 32, maxLength: 32 })
const digestOf = (number: number): Uint8Array => {
  const digest = Buffer.alloc(32)
  digest.writeUInt32BE(number)
  return digest
}

describe('formatOperation (EPOCH-2)', () => {
  it('writes a put', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.constantFrom('', '__proto__'),
    )
    fc.assert(
      fc.property(
        text,
        digests,
        fc.dictionary(text, text, { noNullPrototype: true }),
        (key, value, metadata) => {
          const block = formatOperation({ key, value, metadata })
          expect(Buffer.from(block)).toEqual(
            Buffer.from(encode({ key, value: linkOf(RAW_CODEC, value), metadata })),
          )
        },
      ),
    )
  })

  it('writes a delete', () => {
    for (const key of ['', 'a', 'k'.repeat(23), 'k'.repeat(24), 'k'.repeat(256), 'k'.repeat(2048)])
      expect(Buffer.from(formatOperation({ key, version: null }))).toEqual(
        Buffer.from(encode({ key, version: null })),
      )
  })

  it('writes heads of every length', () => {
    for (const bytes of [23, 24, 255, 256, 65_535, 65_536]) {
      const metadata = { a: 'v'.repeat(bytes) }
      const value = digestOf(1)
      expect(Buffer.from(formatOperation({ key: 'k', value, metadata }))).toEqual(
        Buffer.from(encode({ key: 'k', value: linkOf(RAW_CODEC, value), metadata })),
      )
    }
  })

  it('sorts metadata by length, then by bytes', () => {
    const metadata = { bb: '1', 'content-type': '2', a: '3', ba: '4' }
    const block = formatOperation({ key: 'k', value: digestOf(1), metadata })
    const written = decode<{ metadata: object }>(block).metadata
    expect(Object.keys(written)).toEqual(['a', 'ba', 'bb', 'content-type'])
  })
})

const encodeEpoch = (
  events: readonly { digest: Uint8Array; operations: readonly Uint8Array[] }[],
  parents: readonly Uint8Array[],
): Buffer =>
  Buffer.from(
    encode({
      events: events.map(({ digest, operations }) => {
        const token = linkOf(RAW_CODEC, digest)
        if (operations.length === 0) return token
        return [token, ...operations.map((operation) => linkOf(DAG_CBOR_CODEC, operation))]
      }),
      parents: parents
        .toSorted((a, b) => Buffer.compare(a, b))
        .map((parent) => linkOf(DAG_CBOR_CODEC, parent)),
    }),
  )

describe('formatEpoch (EPOCH-1)', () => {
  it('writes events with and without operations, parents sorted', () => {
    const events = fc.array(
      fc.record({ digest: digests, operations: fc.array(digests, { maxLength: 4 }) }),
    )
    fc.assert(
      fc.property(events, fc.array(digests, { maxLength: 4 }), (all, parents) => {
        expect(Buffer.from(formatEpoch({ events: all, parents }))).toEqual(
          encodeEpoch(all, parents),
        )
      }),
    )
  })

  it('writes large groups', () => {
    for (const count of [23, 24, 256, 70_000]) {
      const operations = Array.from({ length: count }, (_, index) => digestOf(index))
      const events = [{ digest: digestOf(7), operations }]
      expect(formatEpoch({ events, parents: [] })).toHaveLength(encodeEpoch(events, []).length)
      const many = operations.slice(0, 300).map((digest) => ({ digest, operations: [] }))
      expect(Buffer.from(formatEpoch({ events: many, parents: [digestOf(1)] }))).toEqual(
        encodeEpoch(many, [digestOf(1)]),
      )
    }
  })

  it('does not change the parents that it was given', () => {
    const parents = [digestOf(2), digestOf(1)]
    formatEpoch({ events: [], parents })
    expect(parents).toEqual([digestOf(2), digestOf(1)])
  })
})
