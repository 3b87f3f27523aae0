import { CID } from 'multiformats/cid'
import { base16 } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64, base64url } from 'multiformats/bases/base64'
import { describe, expect, it } from 'vitest'
import { parseHex, toHex, utf8 } from '../../src/protocol/bytes.ts'
import {
  BLAKE3_CODE,
  DAG_CBOR_CODEC,
  formatCid,
  formatCidBytes,
  formatRawCid,
  parseCid,
  parseCidBytes,
  parseCidPrefix,
  RAW_CODEC,
} from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { CID_CHARS_MAX } from '../../src/protocol/limits.ts'

const malformed: unknown = expect.objectContaining({ code: 'TOKEN_MALFORMED' })
const digest = blake3(utf8('hello'))
const ours = { codec: RAW_CODEC, hashCode: BLAKE3_CODE, digest }

describe('the CIDs that the node writes', () => {
  it('have the texts of reference-behaviour §10', () => {
    expect(formatRawCid(blake3(new Uint8Array(0)))).toBe(
      'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi',
    )
    expect(formatRawCid(digest)).toBe('bafkr4ihkr4ld3m4gqkjf4reryxsy2s5tkbxprqkow6fin2iiyvreuzzab4')
    expect(formatCid(DAG_CBOR_CODEC, digest, 'base32')).toMatch(/^bafyr4i/)
  })

  it('are CIDs to multiformats, in both bases', () => {
    for (const base of ['base32', 'base58btc'] as const) {
      const cid = CID.parse(
        formatCid(DAG_CBOR_CODEC, digest, base),
        base32.decoder.or(base58btc.decoder),
      )
      expect([cid.version, cid.code, cid.multihash.code]).toEqual([1, DAG_CBOR_CODEC, BLAKE3_CODE])
      expect(toHex(cid.multihash.digest)).toBe(toHex(digest))
    }
  })

  it('take 32 bytes of digest and no other number', () => {
    expect(formatCidBytes(RAW_CODEC, digest)).toHaveLength(36)
    expect(() => formatCidBytes(RAW_CODEC, digest.subarray(1))).toThrow(RangeError)
  })
})

describe('parseCid', () => {
  const bytes = formatCidBytes(RAW_CODEC, digest)

  it.each([base16, base32upper, base36, base58btc, base64, base64url])('reads $name', (base) => {
    expect(parseCid(base.encode(bytes))).toEqual(ours)
  })

  it('reads what it writes', () => {
    expect(parseCid(formatRawCid(digest))).toEqual(ours)
    expect(parseCid(formatCid(RAW_CODEC, digest, 'base58btc'))).toEqual(ours)
  })

  it('reads a CIDv0', () => {
    expect(parseCid('QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR')).toMatchObject({
      codec: 0x70,
      hashCode: 0x12,
    })
  })

  it.each([
    ['nothing', ''],
    ['a base alone', 'b'],
    ['an unknown base', '!abc'],
    ['a base that we do not know', '9123'],
    ['another alphabet', 'bAFKR4IFPCNE3T5PZUGTKAQCN5I3NZSKJTPFSLSNNYEJLPTE2SPFOIHZSMI'],
    ['a digit that base32 lacks', 'bafkr41fpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi'],
    ['loose bits', 'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmj'],
    ['padding', 'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi======'],
    ['cut off', 'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzs'],
    ['blanks', ' bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi'],
    ['a broken CIDv0', 'QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMn'],
    ['a CIDv1 that pretends to be v0', `Qm${formatCid(RAW_CODEC, digest, 'base58btc').slice(1)}`],
    ['too long', `z${'2'.repeat(CID_CHARS_MAX)}`],
    ['a path', 'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi/a'],
  ])('refuses %s', (_, text) => {
    expect(() => parseCid(text)).toThrow(malformed)
  })
})

describe('the bytes of a CID', () => {
  const hex = toHex(formatCidBytes(RAW_CODEC, digest))

  it.each([
    ['nothing', ''],
    ['a version 0 without hash', '00'],
    ['version 2', `02${hex.slice(2)}`],
    ['a version in two bytes', `8100${hex.slice(2)}`],
    ['a byte too many', `${hex}00`],
    ['a byte too few', hex.slice(0, -2)],
    ['a length beyond memory', '01551effffffffffffff0f'],
  ])('refuses %s', (_, broken) => {
    expect(() => parseCidBytes(parseHex(broken))).toThrow(malformed)
  })

  it('are found at the start of more', () => {
    expect(parseCidPrefix(parseHex(`${hex}ffff`))).toEqual({ cid: ours, length: 36 })
    expect(parseCidPrefix(parseHex(`1220${'00'.repeat(33)}`)).length).toBe(34)
  })

  it('may have an empty digest and a codec of several bytes', () => {
    expect(parseCidBytes(parseHex('0180240000'))).toEqual({
      codec: 0x1200,
      hashCode: 0,
      digest: new Uint8Array(0),
    })
  })
})
