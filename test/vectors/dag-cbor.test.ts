import { base32 } from 'multiformats/bases/base32'
import { describe, expect, it } from 'vitest'
import { parseHex, toHex } from '../../src/protocol/bytes.ts'
import { DAG_CBOR_CODEC, parseCid } from '../../src/protocol/cid.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { parseStrictJson } from '../../src/protocol/json.ts'
import { describeVectors } from '../_util/vectors.ts'

interface Fixture {
  readonly name: string
  readonly cid: string
  readonly hex: string
}

interface DaslCase {
  readonly type: 'roundtrip' | 'invalid_in' | 'invalid_out'
  readonly data: string
  readonly name: string
  readonly tags: readonly string[]
}

const LIMITS = { depthMax: 64, canonical: true } as const

const refusal: unknown = expect.objectContaining({ name: 'ProtocolError', code: 'TOKEN_MALFORMED' })

const decodeHex = (hex: string): unknown => decodeDagCbor(parseHex(hex), LIMITS)

/** What the bytes of an `invalid_out` case stand for, where JavaScript has such a value, and why it is refused. */
const UNENCODABLE: ReadonlyMap<string, readonly [value: unknown, reason: RegExp]> = new Map([
  ['f97e00', [Number.NaN, /NaN/]],
  ['f97c00', [Number.POSITIVE_INFINITY, /Infinity/]],
  ['f9fc00', [Number.NEGATIVE_INFINITY, /Infinity/]],
  ['c249010000000000000000', [2n ** 64n, /BigInt/]],
  ['a10000', [new Map([[0, 0]]), /Non-string Map keys/]],
  ['f7', [undefined, /undefined/]],
  ['c07819323032352d30352d32365431363a31383a31372d30343a3030', [new Date(0), /Date/]],
])

describe('DAG-CBOR', () => {
  describeVectors('dag-cbor', (folder, tally) => {
    it('decodes every fixture and encodes it to the same bytes, whose CID is the name', () => {
      const fixtures: Fixture[] = folder.json('fixtures.json')
      expect(fixtures).toHaveLength(128)
      for (const { name, cid, hex } of fixtures) {
        tally.check(name, () => {
          expect(toHex(encodeDagCbor(decodeHex(hex)))).toBe(hex)
          const { codec, digest } = parseCid(cid)
          expect([codec, toHex(digest)]).toEqual([DAG_CBOR_CODEC, toHex(sha256(parseHex(hex)))])
          expect(parseCid(base32.encode(base32.decode(cid))).digest).toEqual(digest)
        })
      }
    })

    it('refuses duplicate keys, in CBOR also where any order is taken, and in JSON', () => {
      const [cbor]: Fixture[] = folder.json('negative/duplicate-keys.json')
      tally.check('duplicate keys in DAG-CBOR', () => {
        const bytes = parseHex(cbor?.hex ?? '')
        expect(() => decodeDagCbor(bytes, LIMITS)).toThrow(refusal)
        expect(() => decodeDagCbor(bytes, { depthMax: 64 })).toThrow(refusal)
      })
      const [json]: Fixture[] = folder.json('negative/dag-json-duplicate-keys.json')
      tally.check('duplicate keys in JSON', () => {
        const text = Buffer.from(json?.hex ?? '', 'hex').toString()
        expect(() => parseStrictJson(text, LIMITS)).toThrow(refusal)
      })
      expect(tally.cases).toBe(130)
    })
  })

  describeVectors('dag-cbor-dasl', (folder, tally) => {
    const casesOf = (type: DaslCase['type']): DaslCase[] =>
      folder
        .list()
        .flatMap((name): DaslCase[] => folder.json(name))
        .filter((entry) => entry.type === type)
        .filter(({ tags }) => tags.includes('dag-cbor') || tags.includes('basic'))

    it('takes what is canonical and gives the same bytes back', () => {
      const zero = 'fb0000000000000000'
      for (const { name, data } of casesOf('roundtrip').filter((entry) => entry.data !== zero)) {
        tally.check(`${name} ${data}`, () => {
          expect(toHex(encodeDagCbor(decodeHex(data)))).toBe(data)
        })
      }
      const reason =
        'JavaScript cannot tell 0.0 from 0, so the library writes an integer; refused where canonical'
      tally.deviate(`zero float64 ${zero}`, reason, () => {
        expect(() => decodeHex(zero)).toThrow(refusal)
      })
    })

    it('refuses what is not canonical', () => {
      for (const { name, data } of casesOf('invalid_in')) {
        tally.check(`${name} ${data}`, () => {
          expect(() => decodeHex(data)).toThrow(refusal)
        })
      }
    })

    it('encodes nothing that DAG-CBOR cannot hold', () => {
      const cases = casesOf('invalid_out')
      const possible = cases.filter(({ data }) => UNENCODABLE.has(data))
      for (const { name, data } of possible) {
        const [value, reason] = UNENCODABLE.get(data) ?? []
        tally.check(`${name} ${data}`, () => {
          expect(() => encodeDagCbor(value)).toThrow(reason)
        })
      }
      const rest = cases.filter(({ data }) => !UNENCODABLE.has(data))
      expect(rest.map(({ data }) => data)).toEqual(['fb8000000000000000', 'e0'])
      tally.deviate('negative zero', 'written as the integer 0, which is what it equals', () => {
        expect(toHex(encodeDagCbor(-0))).toBe('00')
      })
      tally.deviate('unassigned simple value', 'no value of JavaScript stands for it', () => {
        expect(() => decodeHex('e0')).toThrow(refusal)
      })
      expect(tally.cases).toBe(85)
    })
  })
})
