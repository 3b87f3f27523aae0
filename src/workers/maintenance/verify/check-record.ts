/** The record of a statement in its pack: the section of its token, then those of its operations, in one stretch. */
import { carSectionBytes } from '../../../protocol/car.ts'
import { DAG_CBOR_CODEC, RAW_CODEC } from '../../../protocol/cid.ts'
import { type StatementRow } from '../../database/rows.ts'
import { StorageFault } from '../../storage-fault.ts'
import { type OperationBlock } from './check-version.ts'
import { type CheckContext } from './context.ts'

/**
 * The bytes of the token; undefined: they are damaged, which was reported.
 * @param operations the blocks that the versions of the statement make, in their order; undefined: nobody can say
 */
export async function checkRecord(
  context: CheckContext,
  statement: StatementRow,
  operations: readonly OperationBlock[] | undefined,
): Promise<Uint8Array | undefined> {
  const { findings, blocks, inspector, state } = context
  findings.count('record', 1 + (operations?.length ?? 0))
  const { result, fault, row } = await blocks.readStable(
    statement,
    (current) => readRecord(context, current, operations),
    async () => inspector.readStatement(statement.statementNo),
    (a, b) => a.packNo === b.packNo && a.packOffset === b.packOffset,
  )
  if (result) return result
  if (row) state.brokenSections.add(`${row.packNo}:${row.packOffset}`)
  findings.report(
    'record',
    { kind: 'statement', rowId: statement.statementNo },
    fault ?? 'the row is gone',
  )
  return undefined
}

async function readRecord(
  { blocks }: CheckContext,
  { packNo, packOffset, packLength, tokenLength, digest }: StatementRow,
  operations: readonly OperationBlock[] | undefined,
): Promise<Uint8Array> {
  const borrowed = await blocks.readSection({
    place: { packNo, offset: packOffset, lengthBytes: tokenLength },
    digest,
    codec: RAW_CODEC,
  })
  const token = Uint8Array.from(borrowed)
  if (!operations) return token
  let offset = packOffset + tokenLength
  for (const operation of operations) {
    const lengthBytes = carSectionBytes(operation.lengthBytes)
    await blocks.readSection({
      place: { packNo, offset, lengthBytes },
      digest: operation.digest,
      codec: DAG_CBOR_CODEC,
    })
    offset += lengthBytes
  }
  if (offset !== packOffset + packLength)
    throw new StorageFault('VALUE_CORRUPT', 'is of another length than its token and operations')
  return token
}
