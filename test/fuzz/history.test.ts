/** Blocks of the history: written head by head, they are what a general encoder writes. */
import * as fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { compareBytes, equalBytes } from '../../src/protocol/bytes.ts'
import { DAG_CBOR_CODEC, formatCidBytes, RAW_CODEC } from '../../src/protocol/cid.ts'
import { decodeDagCbor, encodeDagCbor } from '../../src/protocol/dag-cbor.ts'
import {
  formatEpoch,
  formatOperation,
  type HistoryEpoch,
  type HistoryOperation,
} from '../../src/protocol/history.ts'
import { describeUnkeptFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue } from '../_util/fuzz/refusal.ts'

const DEPTH_MAX = 4

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 })
const text = fc.oneof(
  // Keys and headers are ASCII; readers refuse a byte order mark.
  fc.string({ unit: 'binary', maxLength: 300 }).filter((value) => !value.startsWith('\ufeff')),
  fc.nat({ max: 70_000 }).map((length) => 'k'.repeat(length)),
)
const metadata = fc.dictionary(fc.constantFrom('a', 'aa', 'content-type', 'é', '__proto__'), text, {
  maxKeys: 3,
  noNullPrototype: true,
})
const operations: fc.Arbitrary<HistoryOperation> = fc.oneof(
  fc.record({ key: text, value: digest, metadata }),
  fc.record({ key: text, version: fc.constant(null) }),
)
const epochs: fc.Arbitrary<HistoryEpoch> = fc.record({
  events: fc.array(fc.record({ digest, operations: fc.array(digest, { maxLength: 30 }) }), {
    maxLength: 30,
  }),
  parents: fc.uniqueArray(digest, { maxLength: 3, selector: String }),
})

const linkTo = (codec: number) => (target: Uint8Array) => CID.decode(formatCidBytes(codec, target))
const rawLink = linkTo(RAW_CODEC)
const dagLink = linkTo(DAG_CBOR_CODEC)

describeUnkeptFuzz<HistoryOperation>({
  name: 'history operation',
  inputs: operations,
  check: (operation) => {
    const block = formatOperation(operation)
    const expected =
      'version' in operation ? operation : { ...operation, value: rawLink(operation.value) }
    assertTrue(equalBytes(block, encodeDagCbor(expected)), 'the encoder writes the same')
    decodeDagCbor(block, { depthMax: DEPTH_MAX, canonical: true })
    return true
  },
})

describeUnkeptFuzz<HistoryEpoch>({
  name: 'history epoch',
  inputs: epochs,
  check: (epoch) => {
    const block = formatEpoch(epoch)
    const events = epoch.events.map((event) => {
      const token = rawLink(event.digest)
      return event.operations.length === 0 ? token : [token, ...event.operations.map(dagLink)]
    })
    const parents = epoch.parents.toSorted(compareBytes).map(dagLink)
    assertTrue(equalBytes(block, encodeDagCbor({ events, parents })), 'the encoder writes the same')
    decodeDagCbor(block, { depthMax: DEPTH_MAX, canonical: true })
    return true
  },
})
