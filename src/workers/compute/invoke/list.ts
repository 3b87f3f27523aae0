/**
 * kv/list: keys in byte order that begin with the path **and** are covered by a granting capability (DESIGN §7.1).
 * With a limit one page with a cursor; without one the whole list, in windows that are snapshots of their own.
 * Rule: LIST-1, LIST-2, LIST-4.
 */
import { type Answer } from '../../../protocol/answer.ts'
import { coversResource } from '../../../protocol/resource.ts'
import { PackedReader, PackedWriter } from '../../../protocol/packed.ts'
import { LIST_LIMIT_MAX } from '../../../protocol/limits.ts'
import { type DatabaseReader, type ReadFacts, type ReadRequest } from '../../database/facts.ts'
import { type ComputeContext } from '../context.ts'
import { type Outcome, readOnce } from '../plan.ts'
import { type ReplayClaim } from '../request.ts'
import { type Authorised } from './authorise.ts'
import { type KeyTarget } from './effects.ts'
import { formatListCursor, parseListCursor } from './list-cursor.ts'
import { type Invocation, replayClaim } from './invocation.ts'

/** Where one window of a list starts and what belongs to it. */
interface Window {
  readonly space: string
  /** The path of the list, as URI text. */
  readonly prefix: string
  /** Only the key `prefix` itself and keys below `prefix/` are granted, not `prefixmore`. */
  readonly isSegmentOnly: boolean
  readonly after: Uint8Array | undefined
  readonly limit: number
}

interface Page {
  /** URI text: ASCII. */
  readonly keys: readonly string[]
  readonly isTruncated: boolean
}

const cursorScope = ({ token }: Invocation, { space, keyText }: KeyTarget, limit: number): string =>
  JSON.stringify([token.issuer, space, keyText, limit])

/** What the batch reads for a list. @throws {ProtocolError} OPTION_INVALID for a cursor that is not ours */
export function listRequest(
  context: ComputeContext,
  invocation: Invocation,
  target: KeyTarget,
): Partial<ReadRequest> {
  return windowRequest({
    space: target.space,
    prefix: target.keyText,
    isSegmentOnly: false,
    after: cursorOf(context, invocation, target),
    limit: invocation.options.listLimit ?? LIST_LIMIT_MAX,
  })
}

function cursorOf(
  context: ComputeContext,
  invocation: Invocation,
  target: KeyTarget,
): Uint8Array | undefined {
  const { listCursor, listLimit } = invocation.options
  if (listCursor === undefined || listLimit === undefined) return undefined
  return parseListCursor(context.cursorKey, cursorScope(invocation, target, listLimit), listCursor)
}

/**
 * A granted folder is two ranges: the key of its own name, and what lies below it. Between them sort keys such as
 * `foo-bar`, which are not granted, so the first is asked for by name.
 */
function windowRequest(window: Window): Partial<ReadRequest> {
  const { space, prefix, isSegmentOnly, after, limit } = window
  const list = { space, prefix: Buffer.from(isSegmentOnly ? `${prefix}/` : prefix), after, limit }
  return isSegmentOnly ? { list, keys: [{ space, key: Buffer.from(prefix) }] } : { list }
}

function pageOf(window: Window, facts: ReadFacts): Page {
  const below = facts.list ?? { keys: [], isTruncated: false }
  const own = facts.keys[0]
  if (!window.isSegmentOnly || window.after !== undefined || !own || own.isDeleted) return below
  const keys = [window.prefix, ...below.keys]
  if (keys.length <= window.limit) return { keys, isTruncated: below.isTruncated }
  return { keys: keys.slice(0, window.limit), isTruncated: true }
}

async function readPage(database: DatabaseReader, window: Window): Promise<Page> {
  return pageOf(window, await readOnce(database, windowRequest(window)))
}

/** Whether what is granted ends with the path's last segment: `foo` and what is below `foo/`, but not `foomore`. */
function endsWithSegment({ proof }: Authorised, { capability }: KeyTarget): boolean {
  const bases = proof.grants.get(capability)
  const { resource } = capability
  // No grant: the owner, who may see all.
  if (!bases || resource.kind !== 'space') return false
  const longer = { ...resource, path: `${resource.path ?? ''}-` }
  return !bases.some((base) => coversResource(base, longer))
}

export async function answerList(
  context: ComputeContext,
  invocation: Invocation,
  target: KeyTarget,
  authorised: Authorised,
  facts: ReadFacts,
): Promise<Outcome> {
  const { listLimit } = invocation.options
  const window: Window = {
    space: target.space,
    prefix: target.keyText,
    isSegmentOnly: endsWithSegment(authorised, target),
    after: cursorOf(context, invocation, target),
    limit: listLimit ?? LIST_LIMIT_MAX,
  }
  // The batch read the plain range; a granted folder needs its own, narrower one.
  const page = window.isSegmentOnly
    ? await readPage(context.database, window)
    : pageOf(window, facts)
  const claim = replayClaim(invocation)
  const last = page.keys.at(-1)
  if (listLimit === undefined || !page.isTruncated || !last) return wholeList(window, page, claim)
  const cursor = formatListCursor(
    context.cursorKey,
    cursorScope(invocation, target, listLimit),
    Buffer.from(last),
  )
  return { kind: 'answer', answer: listAnswer(`[${jsonKeys(page)}]`, true, cursor), claim }
}

/** A list of everything: its text, or the beginning of it with what leads on. */
function wholeList(window: Window, page: Page, claim: ReplayClaim | undefined): Outcome {
  const last = page.keys.at(-1)
  if (!page.isTruncated || !last)
    return { kind: 'answer', answer: listAnswer(`[${jsonKeys(page)}]`, false), claim }
  const continuation = writeContinuation({ ...window, after: Buffer.from(last) })
  return { kind: 'listing', answer: listAnswer(`[${jsonKeys(page)}`, false), claim, continuation }
}

/** Every key of a space that begins with a text: for lists that need no right. */
export interface WholeList {
  readonly space: string
  readonly prefix: string
}

const firstWindow = (list: WholeList): Window => ({
  ...list,
  isSegmentOnly: false,
  after: undefined,
  limit: LIST_LIMIT_MAX,
})

export const wholeListRequest = (list: WholeList): Partial<ReadRequest> =>
  windowRequest(firstWindow(list))

/** @param facts what `wholeListRequest` asked for */
export function answerWholeList(list: WholeList, facts: ReadFacts): Outcome {
  const window = firstWindow(list)
  return wholeList(window, pageOf(window, facts), undefined)
}

function listAnswer(body: string, isTruncated: boolean, cursor?: string): Answer {
  const headers: [string, string][] = [
    ['content-type', 'application/json'],
    ['x-tinycloud-truncated', String(isTruncated)],
  ]
  if (cursor !== undefined) headers.push(['x-tinycloud-next-cursor', cursor])
  return { status: 200, headers, body: Buffer.from(body, 'latin1') }
}

/** Without the brackets around them. */
const jsonKeys = ({ keys }: Page): string => JSON.stringify(keys).slice(1, -1)

/** The next part of an unlimited list's JSON text. */
export async function listWindow(
  context: ComputeContext,
  continuation: Uint8Array,
): Promise<{ bytes: Uint8Array; continuation: Uint8Array | undefined }> {
  const window = readContinuation(continuation)
  const page = await readPage(context.database, window)
  const keys = jsonKeys(page)
  const last = page.keys.at(-1)
  const isEnd = !page.isTruncated || !last
  return {
    bytes: Buffer.from(`${keys === '' ? '' : ','}${keys}${isEnd ? ']' : ''}`, 'latin1'),
    continuation: isEnd ? undefined : writeContinuation({ ...window, after: Buffer.from(last) }),
  }
}

function writeContinuation({ space, prefix, isSegmentOnly: only, after }: Window): Uint8Array {
  const writer = new PackedWriter(256)
  writer
    .text(space)
    .text(prefix)
    .u8(only ? 1 : 0)
    .bytes(after ?? new Uint8Array(0))
  return new Uint8Array(writer.finish())
}

function readContinuation(bytes: Uint8Array): Window {
  const reader = new PackedReader(bytes)
  return {
    space: reader.text(),
    prefix: reader.text(),
    isSegmentOnly: reader.u8() === 1,
    after: reader.bytes(),
    limit: LIST_LIMIT_MAX,
  }
}
