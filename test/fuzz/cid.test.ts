/** CIDs and varints: the library of their inventors reads the same, where both take a text. */
import * as fc from 'fast-check'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32, base32upper } from 'multiformats/bases/base32'
import { base36, base36upper } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { concatBytes, equalBytes } from '../../src/protocol/bytes.ts'
import {
  BLAKE3_CODE,
  DIGEST_BYTES,
  formatCid,
  parseCid,
  parseCidBytes,
} from '../../src/protocol/cid.ts'
import { formatVarint, parseVarint } from '../../src/protocol/varint.ts'
import { editedBytes, editedText } from '../_util/fuzz/edits.ts'
import { describeBytesFuzz, describeTextFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const BASES = [
  base32,
  base58btc,
  base32upper,
  base36,
  base36upper,
  base16,
  base16upper,
  base64,
  base64pad,
  base64url,
  base64urlpad,
]

const digest = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
)
const code = fc.constantFrom(
  0,
  0x12,
  0x1e,
  0x55,
  0x70,
  0x71,
  0x7f,
  0x80,
  0x0129,
  0x1200,
  0xffff_ffff,
)
const cidBytes = fc
  .tuple(fc.constantFrom(1, 1, 1, 1, 0, 2, 300), code, code, digest)
  .map(([version, codec, hash, value]) =>
    concatBytes([...[version, codec, hash, value.length].map(formatVarint), value]),
  )
const version0 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((value) => concatBytes([Uint8Array.of(0x12, 0x20), value]))
const anyCidBytes = fc.oneof({ weight: 4, arbitrary: cidBytes }, { weight: 1, arbitrary: version0 })

const cidTexts = fc
  .tuple(fc.oneof(anyCidBytes, editedBytes(anyCidBytes)), fc.constantFrom(...BASES))
  .map(([bytes, base]) => base.encode(bytes))
const version0Texts = version0.map((bytes) => base58btc.encode(bytes).slice(1))

describeTextFuzz({
  name: 'cid text',
  inputs: editedText(fc.oneof({ weight: 5, arbitrary: cidTexts }, version0Texts)),
  check: (text) => {
    const ours = parsed(() => parseCid(text))
    if (!ours) return false
    const base = BASES.find(({ prefix }) => text.startsWith(prefix)) ?? base58btc
    const theirs = CID.parse(text.startsWith('Qm') ? text : base58btc.encode(base.decode(text)))
    assertTrue(theirs.code === ours.codec, 'both read the same codec')
    assertTrue(theirs.multihash.code === ours.hashCode, 'both read the same hash function')
    assertTrue(equalBytes(theirs.multihash.digest, ours.digest), 'both read the same digest')
    if (ours.hashCode === BLAKE3_CODE && ours.digest.length === DIGEST_BYTES) {
      const answered = formatCid(ours.codec, ours.digest, 'base32')
      assertTrue(CID.parse(answered).equals(theirs), 'the CID of an answer is the one asked for')
    }
    return true
  },
})

describeBytesFuzz({
  name: 'cid bytes',
  inputs: editedBytes(anyCidBytes),
  check: (bytes) => {
    const ours = parsed(() => parseCidBytes(bytes))
    if (!ours) return false
    const theirs = CID.decode(bytes)
    assertTrue(theirs.code === ours.codec, 'both read the same codec')
    assertTrue(equalBytes(theirs.multihash.digest, ours.digest), 'both read the same digest')
    return true
  },
})

describeBytesFuzz({
  name: 'varint',
  inputs: editedBytes(fc.oneof(fc.maxSafeNat(), fc.nat({ max: 20_000 })).map(formatVarint)),
  check: (bytes) => {
    const varint = parsed(() => parseVarint(bytes, 0))
    if (!varint) return false
    assertTrue(
      equalBytes(formatVarint(varint.value), bytes.subarray(0, varint.length)),
      'the bytes come back',
    )
    return true
  },
})
