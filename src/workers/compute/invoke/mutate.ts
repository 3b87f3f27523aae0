/**
 * kv/put and kv/del: an authorised change becomes one command for the storage actor. Its value, its operations and its
 * token are hashed and framed here, so that the actor only writes (DESIGN §2).
 */
import { equalBytes } from '../../../protocol/bytes.ts'
import { formatCarSection } from '../../../protocol/car.ts'
import { DAG_CBOR_CODEC, RAW_CODEC } from '../../../protocol/cid.ts'
import { blake3 } from '../../../protocol/crypto/blake3.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { formatOperation } from '../../../protocol/history.ts'
import { VALUE_BYTES_MAX } from '../../../protocol/limits.ts'
import { PackedWriter } from '../../../protocol/packed.ts'
import { type StagedValue } from '../../blocks/place.ts'
import { type ReadFacts } from '../../database/facts.ts'
import { writeCommand } from '../../storage/command-codec.ts'
import { type MutateCommand, type Operation } from '../../storage/request.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome } from '../plan.ts'
import { type TokenEntry } from '../request.ts'
import { type Authorised, actionText } from './authorise.ts'
import { type Effect, type KeyTarget } from './effects.ts'
import { type StoredHeaders, storedHeaders, withoutImplicitText } from './metadata.ts'
import { isMultipart } from './options.ts'
import { type Invocation } from './invocation.ts'

const NO_BYTES = new Uint8Array(0)

/** @throws {ProtocolError} OPTION_INVALID | VALUE_TOO_LARGE | PRECONDITION_FAILED | METADATA_TOO_LARGE */
export function mutate(
  context: ComputeContext,
  invocation: Invocation,
  effect: Extract<Effect, { kind: 'mutate' }>,
  authorised: Authorised,
  facts: ReadFacts,
  entry: TokenEntry,
): Outcome {
  const [put] = effect.puts
  if (effect.puts.length > 1 && !isMultipart(entry))
    throw new ProtocolError('OPTION_INVALID', 'KV batch put requires multipart/form-data')
  if (put && isMultipart(entry)) throw new ProtocolError('SERVICE_UNSUPPORTED', 'KV batch put')

  const deletes = effect.deletes.map((target) => deleteOperation(invocation, target))
  if (!put) return { kind: 'command', command: commandOf(invocation, authorised, entry, deletes) }
  const headers = storedHeaders(entry)
  if (entry.body.kind === 'later') {
    assertUploadable(entry.body.declaredBytes, invocation, facts)
    const pending = pendingPut(invocation, put, headers)
    const command = commandOf(invocation, authorised, entry, [pending, ...deletes])
    return { kind: 'authorised', prepared: prepare(command) }
  }
  const body = entry.body.kind === 'whole' ? entry.body.bytes : NO_BYTES
  const value: StagedValue = { kind: 'inline', digest: blake3(body), bytes: body }
  const operation = putOperation(context.implicitText, pendingPut(invocation, put, headers), value)
  return {
    kind: 'command',
    command: commandOf(invocation, authorised, entry, [operation, ...deletes]),
  }
}

/** An early word to an upload that cannot succeed. The actor decides again when the body has arrived. Rule: KV-6, INV-13. */
function assertUploadable(
  declaredBytes: number | undefined,
  { options: { precondition } }: Invocation,
  facts: ReadFacts,
): void {
  if (declaredBytes !== undefined && declaredBytes > VALUE_BYTES_MAX)
    throw new ProtocolError('VALUE_TOO_LARGE', String(VALUE_BYTES_MAX))
  const [current] = facts.keys
  const live = current && !current.isDeleted ? current : undefined
  const isMet =
    precondition.kind === 'none' ||
    (precondition.kind === 'absent' && !live) ||
    (precondition.kind === 'matches' && live && equalBytes(live.digest, precondition.digest))
  if (!isMet) throw new ProtocolError('PRECONDITION_FAILED')
}

function commandOf(
  { token, statementId, spaces, options }: Invocation,
  { relies }: Authorised,
  { requestId }: TokenEntry,
  operations: readonly Operation[],
): MutateCommand {
  const [first] = token.capabilities
  return {
    kind: 'mutate',
    requestId,
    statementId,
    digest: token.digest,
    expiresAtS: token.expiresAtS,
    relies,
    action: first ? actionText(first) : '',
    spaces,
    precondition: options.precondition,
    operations,
    tokenSection: formatCarSection(RAW_CODEC, token.digest, token.bytes),
  }
}

type PutOperation = Extract<Operation, { kind: 'put' }>

/** A put whose value is not known yet. */
function pendingPut(
  { spaces }: Invocation,
  target: KeyTarget,
  headers: StoredHeaders,
): PutOperation {
  return {
    kind: 'put',
    spaceIndex: spaces.indexOf(target.space),
    key: target.key,
    operationDigest: NO_DIGEST,
    operationSection: NO_BYTES,
    digest: NO_DIGEST,
    valueBytes: 0,
    headers: JSON.stringify(headers),
    value: { kind: 'packed', section: NO_BYTES },
  }
}

const NO_DIGEST = new Uint8Array(32)

/** The put with its value: hashed, framed, and named by its operation block. */
export function putOperation(
  implicitText: 'drop' | 'keep',
  pending: PutOperation,
  staged: StagedValue,
): PutOperation {
  const given: StoredHeaders = JSON.parse(pending.headers)
  const headers =
    implicitText === 'drop' && staged.kind === 'inline'
      ? withoutImplicitText(given, staged.bytes)
      : given
  const block = formatOperation({
    key: Buffer.from(pending.key).toString('latin1'),
    value: staged.digest,
    metadata: Object.fromEntries(headers),
  })
  const operationDigest = blake3(block)
  return {
    ...pending,
    operationDigest,
    operationSection: formatCarSection(DAG_CBOR_CODEC, operationDigest, block),
    digest: staged.digest,
    valueBytes: staged.kind === 'inline' ? staged.bytes.length : staged.valueBytes,
    headers: headers === given ? pending.headers : JSON.stringify(headers),
    value:
      staged.kind === 'inline'
        ? { kind: 'packed', section: formatCarSection(RAW_CODEC, staged.digest, staged.bytes) }
        : { kind: 'staged', stagingNo: staged.stagingNo, segments: staged.segments },
  }
}

function deleteOperation({ spaces }: Invocation, target: KeyTarget): Operation {
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

/** The authorised command without its value, as main keeps it until the body has arrived. */
function prepare(command: MutateCommand): Uint8Array {
  const writer = new PackedWriter(command.tokenSection.length + 4096)
  writeCommand(writer, command)
  return new Uint8Array(writer.finish())
}
