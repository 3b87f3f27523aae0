/**
 * The typed contract of a compute worker: tasks by name, their arguments and results, and the packed form of a batch.
 * Importable by main. A batch travels as one buffer each way (protocol/packed.ts, DESIGN §2).
 */
import {
  type Answer,
  type Failure,
  readAnswer,
  readFailure,
  readHeaders,
  writeAnswer,
  writeFailure,
  writeHeaders,
} from '../../protocol/answer.ts'
import {
  type Askable,
  type Inquiry,
  type NetworkAnswers,
  readAnswers,
  readInquiry,
  writeAnswers,
  writeInquiry,
} from '../../protocol/inquiry.ts'
import { PackedReader, type PackedWriter } from '../../protocol/packed.ts'
import { readUploadRoom, type UploadRoom, writeUploadRoom } from '../../protocol/quota.ts'
import {
  type Damage,
  type BlocksOptions,
  type DatabaseOptions,
  type KeepRule,
  type RunInfo,
  type SpaceLimits,
} from '../storage/request.ts'

/** workerData of the pool. */
export interface ComputeOptions {
  readonly database: DatabaseOptions
  readonly blocks: BlocksOptions
  readonly run: RunInfo
  /** The node secret: host DIDs and the keys of cursors and signed URLs are derived from it. Never logged. */
  readonly secret: Uint8Array
  readonly invocationLifetimeS: number
  readonly clockSkewS: number
  /** `drop`: a JSON body under fetch's own `text/plain;charset=UTF-8` is stored without a type (DESIGN §7.23). */
  readonly implicitText: 'drop' | 'keep'
  readonly staging: 'memory' | 'file'
  readonly spaceLimits: SpaceLimits
  readonly keepRule: KeepRule
  /** What main can ask of other hosts. */
  readonly askable: Askable
}

export type Route = 'delegate' | 'invoke' | 'revoke' | 'status' | 'query' | 'sign'

export type Body =
  | { readonly kind: 'none' }
  /** Arrived whole: a value of at most PACKED_VALUE_BYTES_MAX, JSON of at most JSON_BODY_BYTES_MAX. */
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  /** Still on the wire: larger, or of unknown length. The entry is authorised first. */
  | { readonly kind: 'later'; readonly declaredBytes: number | undefined }

/** A request with a token. */
export interface TokenEntry {
  readonly kind: 'token'
  readonly requestId: number
  readonly route: Route
  /** The raw `Authorization` value, at most TOKEN_BYTES_MAX. */
  readonly authorization: string
  /** Lower-case names: those that compute may look at (ENTRY_HEADERS), in the order received. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Body
  /** What the network said about this token, when the entry is sent again. */
  readonly answers?: NetworkAnswers
}

/** The body of an authorised change has arrived: decide it like any other. */
export interface CommitEntry {
  readonly kind: 'commit'
  readonly requestId: number
  /** From the `authorised` result. */
  readonly prepared: Uint8Array
  /** From the task `finish`: a value for each put. */
  readonly staged: Uint8Array
}

/** A request without a token: GET or HEAD. */
export interface OpenEntry {
  readonly kind: 'open'
  readonly requestId: number
  /** The answer's head is wanted, and no body is read for it. */
  readonly isHead: boolean
  /** As in TokenEntry. */
  readonly headers: TokenEntry['headers']
  readonly target: OpenTarget
}

/** Texts are those of the path or the query, percent-decoded once. */
export type OpenTarget =
  | { readonly kind: 'ticket'; readonly ticket: string }
  | { readonly kind: 'publicKey'; readonly space: string; readonly key: string }
  | { readonly kind: 'publicList'; readonly space: string; readonly prefix: string }

export type Entry = TokenEntry | CommitEntry | OpenEntry

/** Request headers that reach compute; all others stay in main. Also every `x-tinycloud-*` name. */
export const ENTRY_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'if-match',
  'if-none-match',
  'if-range',
  'range',
])

/** A read's use of its token: main refuses the second one (409). */
export interface ReplayClaim {
  /** First 16 bytes of the statement id. */
  readonly id: Uint8Array
  readonly expiresAtS: number
}

export type Result = { readonly requestId: number } & ResultBody

export type ResultBody =
  /** A read, or a repeated delegation. `claim` is undefined where repeating is harmless. */
  | { readonly kind: 'answer'; readonly answer: Answer; readonly claim: ReplayClaim | undefined }
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** The token cannot be decided yet: ask, and send the entry again with the answer. */
  | { readonly kind: 'inquiry'; readonly inquiry: Inquiry }
  /** A change: its command is in the batch's `commands`; storage answers. */
  | { readonly kind: 'command' }
  /**
   * A change whose body is still to come may be uploaded. `prepared` is kept unread until then; `heldBytes` is what the
   * worker of the upload may hold in memory.
   */
  | {
      readonly kind: 'authorised'
      readonly prepared: Uint8Array
      readonly heldBytes: number
      readonly room: UploadRoom | undefined
    }
  /** A large value or a part of it: `answer` has the head of the reply; the body follows from this worker in windows. */
  | {
      readonly kind: 'download'
      readonly answer: Answer
      readonly claim: ReplayClaim | undefined
      readonly streamId: number
      readonly bodyBytes: number
    }
  /** A list that does not end in its first window: `answer.body` opens the JSON text; windows follow. */
  | {
      readonly kind: 'listing'
      readonly answer: Answer
      readonly claim: ReplayClaim | undefined
      readonly continuation: Uint8Array
    }

/** Result of the task `batch`. Both buffers are transferred. */
export interface BatchResult {
  readonly results: ArrayBuffer
  /** Packed commands for storage, to be handed on unread; undefined: none. */
  readonly commands: ArrayBuffer | undefined
  readonly counters: ComputeCounters
  /** Stacks of faults that are ours, for the log. Never a token or a value. */
  readonly faults: readonly string[]
  /** What of the stored data was found broken, for the quarantine. */
  readonly damages: readonly Damage[]
}

export interface ComputeCounters {
  readonly entries: number
  readonly busyMs: number
}

/** Tasks of a worker beside `batch`. Those with a stream id must reach the worker that holds the stream. */
export interface StreamTasks {
  /** Opens an upload. `streamId` is given by main, used once, below 2^31; `prepared` is that of the `authorised` result. */
  open: { args: { streamId: number; prepared: Uint8Array }; result: TaskOutcome<null> }
  /** Taken: the chunk is transferred. */
  append: { args: { streamId: number; chunk: Uint8Array }; result: TaskOutcome<null> }
  /** What was staged, for the commit entry. The stream lives on until it is discarded, which must follow. */
  finish: { args: { streamId: number }; result: TaskOutcome<Uint8Array<ArrayBuffer>> }
  /** Forgets an upload, with the files that no command took, or a download. Unknown ids are fine. */
  discard: { args: { streamId: number }; result: TaskOutcome<null> }
  /** The next window of a download, at most DOWNLOAD_WINDOW_BYTES; `isLast` closes the stream. */
  window: {
    args: { streamId: number }
    result: TaskOutcome<{ bytes: Uint8Array; isLast: boolean }>
  }
  /** The next part of a list's JSON text; an undefined continuation ends it. Any worker. */
  listWindow: {
    args: { continuation: Uint8Array }
    result: TaskOutcome<{ bytes: Uint8Array; continuation: Uint8Array | undefined }>
  }
}

/** Workers return, they do not throw: a thrown error is a bug and costs the worker. */
export type TaskOutcome<T> =
  | { ok: true; value: T }
  /** `damage`: what of the stored data was found broken. */
  | { ok: false; failure: Failure; damage?: Damage | undefined }

/** Larger ones let a thread starve while another has half of what is under way: with 32, gets are 0.86 times as many. */
export const ENTRIES_PER_BATCH_MAX = 16
/** Unless a single entry is longer. */
export const BATCH_BYTES_MAX: number = 1024 * 1024
/** Of a download, at a time. */
export const DOWNLOAD_WINDOW_BYTES: number = 1024 * 1024

const KINDS = [
  'answer',
  'failure',
  'command',
  'authorised',
  'download',
  'listing',
  'inquiry',
] as const
const ROUTES: readonly Route[] = ['delegate', 'invoke', 'revoke', 'status', 'query', 'sign']

export function writeEntry(writer: PackedWriter, entry: Entry): void {
  if (entry.kind === 'commit') {
    writer.u8(0).u32(entry.requestId).bytes(entry.prepared).bytes(entry.staged)
    return
  }
  if (entry.kind === 'open') {
    writer
      .u8(2)
      .u32(entry.requestId)
      .u8(entry.isHead ? 1 : 0)
    writeHeaders(writer, entry.headers)
    writeTarget(writer, entry.target)
    return
  }
  writer.u8(1).u32(entry.requestId).u8(ROUTES.indexOf(entry.route)).text(entry.authorization)
  writeHeaders(writer, entry.headers)
  const { body } = entry
  switch (body.kind) {
    case 'none':
      writer.u8(0)
      break
    case 'whole':
      writer.u8(1).bytes(body.bytes)
      break
    case 'later':
      writer.u8(2).f64(body.declaredBytes ?? -1)
      break
  }
  writer.u8(entry.answers ? 1 : 0)
  if (entry.answers) writeAnswers(writer, entry.answers)
}

function writeTarget(writer: PackedWriter, target: OpenTarget): void {
  if (target.kind === 'ticket') writer.u8(0).text(target.ticket)
  else if (target.kind === 'publicKey') writer.u8(1).text(target.space).text(target.key)
  else writer.u8(2).text(target.space).text(target.prefix)
}

function readTarget(reader: PackedReader): OpenTarget {
  const kind = reader.u8()
  if (kind === 0) return { kind: 'ticket', ticket: reader.text() }
  if (kind === 1) return { kind: 'publicKey', space: reader.text(), key: reader.text() }
  return { kind: 'publicList', space: reader.text(), prefix: reader.text() }
}

/** Borrowed: bytes are views into the batch. */
export function readEntry(reader: PackedReader): Entry {
  const kind = reader.u8()
  if (kind === 2) {
    const [requestId, isHead] = [reader.u32(), reader.u8() === 1]
    return {
      kind: 'open',
      requestId,
      isHead,
      headers: readHeaders(reader),
      target: readTarget(reader),
    }
  }
  if (kind === 0) {
    return {
      kind: 'commit',
      requestId: reader.u32(),
      prepared: reader.bytes(),
      staged: reader.bytes(),
    }
  }
  const requestId = reader.u32()
  const route = ROUTES[reader.u8()] as Route
  const authorization = reader.text()
  const headers = readHeaders(reader)
  const body = readBody(reader)
  const token: TokenEntry = { kind: 'token', requestId, route, authorization, headers, body }
  return reader.u8() === 1 ? { ...token, answers: readAnswers(reader) } : token
}

function readBody(reader: PackedReader): Body {
  const kind = reader.u8()
  if (kind === 0) return { kind: 'none' }
  if (kind === 1) return { kind: 'whole', bytes: reader.bytes() }
  const declaredBytes = reader.f64()
  return { kind: 'later', declaredBytes: declaredBytes < 0 ? undefined : declaredBytes }
}

function writeClaim(writer: PackedWriter, claim: ReplayClaim | undefined): void {
  writer.u8(claim ? 1 : 0)
  if (claim) writer.raw(claim.id).f64(claim.expiresAtS)
}

function readClaim(reader: PackedReader): ReplayClaim | undefined {
  return reader.u8() === 1 ? { id: reader.raw(16), expiresAtS: reader.f64() } : undefined
}

export function writeResult(writer: PackedWriter, result: Result): void {
  writer.u32(result.requestId).u8(KINDS.indexOf(result.kind))
  switch (result.kind) {
    case 'answer':
      writeAnswer(writer, result.answer)
      writeClaim(writer, result.claim)
      break
    case 'failure':
      writeFailure(writer, result.failure)
      break
    case 'inquiry':
      writeInquiry(writer, result.inquiry)
      break
    case 'command':
      break
    case 'authorised':
      writer.bytes(result.prepared).f64(result.heldBytes)
      writeUploadRoom(writer, result.room)
      break
    case 'download':
      writeAnswer(writer, result.answer)
      writeClaim(writer, result.claim)
      writer.u32(result.streamId).f64(result.bodyBytes)
      break
    case 'listing':
      writeAnswer(writer, result.answer)
      writeClaim(writer, result.claim)
      writer.bytes(result.continuation)
      break
  }
}

/** Borrowed: bytes are views into the batch. */
export function readResult(reader: PackedReader): Result {
  const requestId = reader.u32()
  const kind = KINDS[reader.u8()]
  if (kind === undefined) throw new RangeError('packed result: no such kind')
  switch (kind) {
    case 'answer':
      return { requestId, kind, answer: readAnswer(reader), claim: readClaim(reader) }
    case 'failure':
      return { requestId, kind, failure: readFailure(reader) }
    case 'inquiry':
      return { requestId, kind, inquiry: readInquiry(reader) }
    case 'command':
      return { requestId, kind }
    case 'authorised':
      return {
        requestId,
        kind,
        prepared: reader.bytes(),
        heldBytes: reader.f64(),
        room: readUploadRoom(reader),
      }
    case 'download':
      return {
        requestId,
        kind,
        answer: readAnswer(reader),
        claim: readClaim(reader),
        streamId: reader.u32(),
        bodyBytes: reader.f64(),
      }
    case 'listing':
      return {
        requestId,
        kind,
        answer: readAnswer(reader),
        claim: readClaim(reader),
        continuation: reader.bytes(),
      }
  }
}

export function* readEntries(batch: ArrayBuffer): Generator<Entry> {
  const reader = new PackedReader(batch)
  while (!reader.isDone) yield readEntry(reader)
}

export function* readResults(batch: ArrayBuffer): Generator<Result> {
  const reader = new PackedReader(batch)
  while (!reader.isDone) yield readResult(reader)
}
