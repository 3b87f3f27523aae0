/** Operations of a change: hashed and framed, so that the storage actor only writes them. */
import { toLatin1 } from '../../../protocol/bytes.ts'
import { formatCarSection } from '../../../protocol/car.ts'
import { DAG_CBOR_CODEC, RAW_CODEC } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { formatOperation } from '../../../protocol/history.ts'
import { type MutateCommand, type Operation } from '../../storage/request.ts'
import { type StagedPut } from '../form/body-form.ts'
import { type KeyTarget } from './effects.ts'

type PutOperation = Extract<Operation, { kind: 'put' }>

const NO_BYTES = new Uint8Array(0)
const NO_DIGEST = new Uint8Array(32)

/** A put whose value is not known yet. `spaces` are those of the command. */
export const pendingPut = (spaces: readonly string[], target: KeyTarget): PutOperation => ({
  kind: 'put',
  spaceIndex: spaces.indexOf(target.space),
  key: target.key,
  operationDigest: NO_DIGEST,
  operationSection: NO_BYTES,
  digest: NO_DIGEST,
  valueBytes: 0,
  headers: '[]',
  value: { kind: 'packed', section: NO_BYTES },
})

export function deleteOperation(spaces: readonly string[], target: KeyTarget): Operation {
  const block = formatOperation({ key: target.keyText, version: null })
  const operationDigest = blake3(block)
  return {
    kind: 'delete',
    spaceIndex: spaces.indexOf(target.space),
    key: target.key,
    operationDigest,
    operationSection: formatCarSection(DAG_CBOR_CODEC, operationDigest, block),
  }
}

/** The command with a value for each of its pending puts, in their order. */
export function withValues(command: MutateCommand, values: readonly StagedPut[]): MutateCommand {
  let valueCount = 0
  const operations = command.operations.map((operation) => {
    if (operation.kind === 'delete') return operation
    const value = values[valueCount++]
    if (!value) throw new Error('a put has no value')
    return putOperation(operation, value)
  })
  if (valueCount !== values.length) throw new Error('a value has no put')
  return { ...command, operations }
}

/** The put with its value: hashed, framed, and named by its operation block. */
function putOperation(pending: PutOperation, { headers, value }: StagedPut): PutOperation {
  const block = formatOperation({
    key: toLatin1(pending.key),
    value: value.digest,
    metadata: Object.fromEntries(headers),
  })
  const operationDigest = blake3(block)
  return {
    ...pending,
    operationDigest,
    operationSection: formatCarSection(DAG_CBOR_CODEC, operationDigest, block),
    digest: value.digest,
    valueBytes: value.kind === 'inline' ? value.bytes.length : value.valueBytes,
    headers: JSON.stringify(headers),
    value:
      value.kind === 'inline'
        ? { kind: 'packed', section: formatCarSection(RAW_CODEC, value.digest, value.bytes) }
        : { kind: 'staged', stagingNo: value.stagingNo, segments: value.segments },
  }
}
