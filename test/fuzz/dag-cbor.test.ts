/** DAG-CBOR of tokens and epochs: what the strict reader takes is what the specification calls canonical. */
import { CID } from 'multiformats/cid'
import { equalBytes } from '../../src/protocol/bytes.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import { cborBytes } from '../_util/fuzz/cbor-bytes.ts'
import { describeBytesFuzz } from '../_util/fuzz/harness.ts'
import { judgeCbor } from '../_util/fuzz/reference-cbor.ts'
import { assertTrue, parsed } from '../_util/fuzz/refusal.ts'

const DEPTH_MAX = 4

/** Of the first byte of a CID; that of version 0 is of its hash function. */
const VERSION_BYTE = [0x12, 1]

function isCid(bytes: Uint8Array): boolean {
  try {
    const { version, byteLength } = CID.decode(bytes)
    return byteLength === bytes.length && bytes[0] === VERSION_BYTE[version]
  } catch {
    return false
  }
}

describeBytesFuzz({
  name: 'dag-cbor',
  inputs: cborBytes,
  check: (bytes) => {
    const read = (canonical: boolean) =>
      parsed(() => ({ value: decodeDagCbor(bytes, { depthMax: DEPTH_MAX, canonical }) }))
    const strict = read(true)
    const verdict = judgeCbor(bytes, DEPTH_MAX, isCid)
    if (verdict !== 'whole float')
      assertTrue((strict !== undefined) === (verdict === 'canonical'), `strict reader: ${verdict}`)
    const lenient = read(false)
    if (strict) {
      assertTrue(lenient !== undefined, 'what is canonical, the lenient reader takes too')
      assertTrue(equalBytes(encodeDagCbor(strict.value), bytes), 'canonical bytes come back')
    }
    if (!lenient) return false
    const again = encodeDagCbor(lenient.value)
    const canonical = decodeDagCbor(again, { depthMax: DEPTH_MAX, canonical: true })
    assertTrue(equalBytes(encodeDagCbor(canonical), again), 'encoded again it is canonical')
    return true
  },
})
