import { expect, it } from 'vitest'
import { concatBytes, parseHex, toHex, utf8 } from '../../src/protocol/bytes.ts'
import { parseCidBytes } from '../../src/protocol/cid.ts'
import { sha256 } from '../../src/protocol/crypto/sha256.ts'
import { describeVectors } from '../_util/vectors.ts'

const HASH_CODES: ReadonlyMap<string, number> = new Map([
  ['sha1', 0x11],
  ['sha2-256', 0x12],
  ['sha2-512', 0x13],
  ['sha3', 0x14],
])
const CIDV1_RAW = Uint8Array.of(1, 0x55)

describeVectors('multihash', (folder, tally) => {
  it('reads every multihash inside a CID; computes those of SHA-256', () => {
    const [, ...lines] = folder.lines('test_cases.csv')
    for (const line of lines) {
      tally.check(line, () => {
        const [algorithm = '', bits = '', input = '', multihash = ''] = line.split(',')
        const cid = parseCidBytes(concatBytes([CIDV1_RAW, parseHex(multihash)]))
        expect(cid.hashCode).toBe(HASH_CODES.get(algorithm))
        expect(cid.digest.length * 8).toBe(Number(bits))
        expect(multihash.endsWith(toHex(cid.digest))).toBe(true)
        const computed =
          algorithm === 'sha2-256' ? sha256(utf8(input)).subarray(0, cid.digest.length) : cid.digest
        expect(toHex(cid.digest)).toBe(toHex(computed))
      })
    }
    expect(tally.cases).toBe(260)
  })
})
