/**
 * A compute worker that does what the token says, for tests of main without credentials and storage. It speaks the real
 * contract (workers/compute/request.ts); only the work is made up. Tokens are `verb argument…`:
 *
 *   echo                 200 with the body
 *   answer N             200 with N bytes
 *   claim HEX            200, claiming the id HEX
 *   fail CODE DETAIL     a refusal
 *   headers              200 with the entry's headers as JSON
 *   command              a command for storage
 *   upload               authorised if the body is to come; the commit answers 200 with `<bytes> <sha256>`
 *   download N           N bytes in windows of WINDOW_BYTES; `download N broken` breaks after the first window
 *   listing N            N parts; `listing N broken` breaks after the first
 *   wait MS              200 after a while
 *   garble               something in the results that is no result
 *   die, throw           the worker ends, or throws
 */
import { createHash, type Hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { move, transferableSymbol, valueSymbol } from 'piscina'

import { emptyAnswer } from '../../src/protocol/answer.ts'
import { type ErrorCode, WIRE_ERRORS } from '../../src/protocol/error.ts'
import { PackedWriter } from '../../src/protocol/packed.ts'
import {
  type BatchResult,
  type CommitEntry,
  type Entry,
  readEntries,
  type Result,
  type StreamTasks,
  type TokenEntry,
  writeResult,
} from '../../src/workers/compute/request.ts'

export const WINDOW_BYTES = 100_000

type Outcome = Result extends infer R ? (R extends Result ? Omit<R, 'requestId'> : never) : never

interface Upload {
  readonly hash: Hash
  bytes: number
}

const uploads = new Map<number, Upload>()
const downloads = new Map<number, { left: number; isBroken: boolean; hasSent: boolean }>()
let lastDownloadId = 2 ** 31

const answer = (body: Uint8Array | string): Outcome => ({
  kind: 'answer',
  answer: { ...emptyAnswer(), body: Buffer.from(body) },
  claim: undefined,
})

function isCode(text: string): text is ErrorCode {
  return Object.hasOwn(WIRE_ERRORS, text)
}

const codeOf = (text: string): ErrorCode => (isCode(text) ? text : 'TOKEN_MALFORMED')

async function decide(entry: TokenEntry): Promise<Outcome> {
  const [verb = '', first = '', second = ''] = entry.authorization.split(' ')
  switch (verb) {
    case 'echo':
      return answer(entry.body.kind === 'whole' ? entry.body.bytes : entry.body.kind)
    case 'answer':
      return answer(Buffer.alloc(Number(first), 'a'))
    case 'claim':
      return {
        kind: 'answer',
        answer: emptyAnswer([['x-tinycloud-meta-mood', 'calm']]),
        claim: {
          id: Buffer.from(first.padEnd(32, '0'), 'hex'),
          expiresAtS: Date.now() / 1000 + 60,
        },
      }
    case 'headers':
      return answer(JSON.stringify(entry.headers))
    case 'command':
      return { kind: 'command' }
    case 'upload':
      return entry.body.kind === 'later'
        ? { kind: 'authorised', prepared: Buffer.from('prepared'), heldBytes: 0, room: undefined }
        : answer(`whole ${entry.body.kind}`)
    case 'download': {
      lastDownloadId += 1
      const bodyBytes = Number(first)
      downloads.set(lastDownloadId, {
        left: bodyBytes,
        isBroken: second === 'broken',
        hasSent: false,
      })
      const head = emptyAnswer([['etag', '"e"']])
      return {
        kind: 'download',
        answer: head,
        claim: undefined,
        streamId: lastDownloadId,
        bodyBytes,
      }
    }
    case 'listing': {
      const continuation = Buffer.from(`${first} ${second}`)
      return {
        kind: 'listing',
        answer: { ...emptyAnswer(), body: Buffer.from('[') },
        claim: undefined,
        continuation,
      }
    }
    case 'wait':
      await sleep(Number(first))
      return answer('waited')
    case 'die':
      return process.exit(3)
    case 'throw':
      throw new Error('planted')
    default:
      return { kind: 'failure', failure: { code: codeOf(first), detail: second } }
  }
}

function decideCommit({ prepared, staged }: CommitEntry): Outcome {
  if (Buffer.from(prepared).toString() !== 'prepared') throw new Error('not what was prepared')
  return answer(staged)
}

/** A ticket is read as a token; public targets are told back. */
function outcomeOf(entry: Entry): Outcome | Promise<Outcome> {
  if (entry.kind === 'commit') return decideCommit(entry)
  if (entry.kind === 'token') return decide(entry)
  const { requestId, headers, target, isHead } = entry
  if (target.kind !== 'ticket') return answer(JSON.stringify({ ...target, isHead }))
  const words = { authorization: target.ticket, body: { kind: 'none' } } as const
  return decide({ kind: 'token', route: 'invoke', requestId, headers, ...words })
}

export async function batch(entries: ArrayBuffer): Promise<BatchResult> {
  const results = new PackedWriter()
  const commands = new PackedWriter()
  let count = 0
  for (const entry of readEntries(entries)) {
    count += 1
    const outcome = await outcomeOf(entry)
    if (entry.kind === 'token' && entry.authorization === 'garble') results.u32(0).u8(99)
    if (outcome.kind === 'command') commands.u32(entry.requestId)
    writeResult(results, { ...outcome, requestId: entry.requestId })
  }
  const buffers = [results.finish(), commands.length > 0 ? commands.finish() : undefined] as const
  const value: BatchResult = {
    results: buffers[0],
    commands: buffers[1],
    counters: { entries: count, busyMs: 0 },
    faults: [],
    damages: [],
  }
  const moved = buffers.filter((buffer) => buffer !== undefined)
  move(Object.assign(value, { [transferableSymbol]: moved, [valueSymbol]: value }))
  return value
}

type Task<N extends keyof StreamTasks> = (
  args: StreamTasks[N]['args'],
) => StreamTasks[N]['result'] | Promise<StreamTasks[N]['result']>

export const open: Task<'open'> = ({ streamId, prepared }) => {
  if (Buffer.from(prepared).toString() !== 'prepared') throw new Error('not what was prepared')
  uploads.set(streamId, { hash: createHash('sha256'), bytes: 0 })
  return { ok: true, value: null }
}

export const append: Task<'append'> = ({ streamId, chunk }) => {
  const upload = uploads.get(streamId)
  if (!upload) return { ok: false, failure: { code: 'NODE_BUSY', detail: '' } }
  upload.hash.update(chunk)
  upload.bytes += chunk.length
  return { ok: true, value: null }
}

export const finish: Task<'finish'> = ({ streamId }) => {
  const upload = uploads.get(streamId)
  if (!upload) return { ok: false, failure: { code: 'INTERNAL', detail: '' } }
  const text = `${upload.bytes} ${upload.hash.digest('hex')}`
  return { ok: true, value: new TextEncoder().encode(text) }
}

export const discard: Task<'discard'> = ({ streamId }) => {
  uploads.delete(streamId)
  downloads.delete(streamId)
  return { ok: true, value: null }
}

export const window: Task<'window'> = ({ streamId }) => {
  const download = downloads.get(streamId)
  if (!download || (download.isBroken && download.hasSent)) {
    return { ok: false, failure: { code: 'VALUE_CORRUPT', detail: '' } }
  }
  const bytes = new Uint8Array(Math.min(WINDOW_BYTES, download.left)).fill(100)
  download.left -= bytes.length
  download.hasSent = true
  const isLast = download.left === 0
  if (isLast) downloads.delete(streamId)
  return { ok: true, value: { bytes, isLast } }
}

export const listWindow: Task<'listWindow'> = ({ continuation }) => {
  const [left = '', mode = ''] = Buffer.from(continuation).toString().split(' ')
  if (mode === 'broken' && left === '1') {
    return { ok: false, failure: { code: 'STORAGE_UNAVAILABLE', detail: '' } }
  }
  const isLast = left === '0'
  const next = isLast ? undefined : Buffer.from(`${Number(left) - 1} ${mode}`)
  return {
    ok: true,
    value: { bytes: Buffer.from(isLast ? 'null]' : `${left},`), continuation: next },
  }
}

/** Streams that the worker still holds, for tests of what is left behind. */
export const countStreams = (): number => uploads.size + downloads.size
