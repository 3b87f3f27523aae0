/**
 * kv/put and kv/del: an authorised change becomes one command for the storage actor. Its values, its operations and its
 * token are hashed and framed here, so that the actor only writes (DESIGN §2).
 */
import { NO_BODY } from '../../../protocol/answer.ts'
import { equalBytes } from '../../../protocol/bytes.ts'
import { formatCarSection } from '../../../protocol/car.ts'
import { RAW_CODEC } from '../../../protocol/cid.ts'
import { actionText } from '../../../protocol/chain.ts'
import { ProtocolError } from '../../../protocol/error.ts'
import { VALUE_BYTES_MAX } from '../../../protocol/limits.ts'
import { type ReadFacts } from '../../database/facts.ts'
import { type MutateCommand, type Operation } from '../../storage/request.ts'
import { type ComputeContext } from '../context.ts'
import { type BodyForm, parseBoundary } from '../form/body-form.ts'
import { heldBytesOf } from '../form/body-upload.ts'
import { readWholeBody } from '../form/whole-body.ts'
import { type Outcome } from '../plan.ts'
import { packPrepared } from '../prepared.ts'
import { type TokenEntry } from '../request.ts'
import { type Authorised } from './authorise.ts'
import { type Effect } from './effects.ts'
import { type Invocation } from './invocation.ts'
import { storedHeaders } from './metadata.ts'
import { deleteOperation, pendingPut, withValues } from './operations.ts'
import { headerOf } from './option-headers.ts'
import { isMultipart } from './options.ts'
import { assertHistoryRoom, findUploadRoom } from './upload-room.ts'

type MutateEffect = Extract<Effect, { kind: 'mutate' }>

/**
 * @throws {ProtocolError} OPTION_INVALID | VALUE_TOO_LARGE | PRECONDITION_FAILED | METADATA_TOO_LARGE
 * @throws {ProtocolError} QUOTA_EXCEEDED | QUOTA_REMAINDER | HISTORY_LIMIT, of an upload that is still to come
 */
export function mutate(
  context: ComputeContext,
  invocation: Invocation,
  effect: MutateEffect,
  authorised: Authorised,
  facts: ReadFacts,
  entry: TokenEntry,
): Outcome {
  const { puts, deletes } = effect
  const operations = [
    ...puts.map((target) => pendingPut(invocation.spaces, target)),
    ...deletes.map((target) => deleteOperation(invocation.spaces, target)),
  ]
  const command = commandOf(invocation, authorised, entry, operations)
  if (puts.length === 0) return { kind: 'command', command }
  const form = formOf(context, puts, entry)
  const { body } = entry
  if (body.kind === 'later') {
    const { declaredBytes } = body
    assertUploadable(declaredBytes, invocation, facts)
    const { spaces } = invocation
    assertHistoryRoom(context.spaceLimits, effect, spaces, facts)
    const upload = { effect, declaredBytes }
    const room =
      form.kind === 'value' ? findUploadRoom(context.spaceLimits, upload, spaces, facts) : undefined
    const heldBytes = heldBytesOf(form, declaredBytes)
    return { kind: 'authorised', prepared: packPrepared({ form, command }), heldBytes, room }
  }
  const values = readWholeBody(form, body.kind === 'whole' ? body.bytes : NO_BODY)
  return { kind: 'command', command: withValues(command, values) }
}

/**
 * Rule: BATCH-1.
 * @throws {ProtocolError} OPTION_INVALID | METADATA_TOO_LARGE
 */
function formOf(
  { implicitText }: ComputeContext,
  puts: MutateEffect['puts'],
  entry: TokenEntry,
): BodyForm {
  if (isMultipart(entry)) {
    const boundary = parseBoundary(headerOf(entry, 'content-type'))
    return { kind: 'parts', boundary, keys: puts.map(({ keyText }) => keyText) }
  }
  if (puts.length > 1)
    throw new ProtocolError('OPTION_INVALID', 'KV batch put requires multipart/form-data')
  const dropsImplicitText = implicitText === 'drop'
  return { kind: 'value', headers: storedHeaders(entry), dropsImplicitText }
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
  entry: TokenEntry,
  operations: readonly Operation[],
): MutateCommand {
  const [first] = token.capabilities
  return {
    kind: 'mutate',
    requestId: entry.requestId,
    statementId,
    digest: token.digest,
    expiresAtS: token.expiresAtS,
    relies,
    action: first ? actionText(first) : '',
    spaces,
    precondition: options.precondition,
    report: isMultipart(entry) ? 'keys' : 'etag',
    operations,
    tokenSection: formatCarSection(RAW_CODEC, token.digest, token.bytes),
  }
}
