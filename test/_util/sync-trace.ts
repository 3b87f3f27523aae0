/**
 * Reads a system-call trace of the node (strace) and checks the order of durability: the blocks of a change are
 * written and synced, then its rows, and only then do the bytes of its answer leave.
 *
 * The clock is the line number: strace prints a call on one line only if nothing else happened between its entry and
 * its exit, otherwise as `<unfinished ...>` and `resumed`. A thread is held at both, so causes stand before effects.
 */

export interface Call {
  readonly thread: number
  readonly name: string
  readonly args: string
  /** What the first argument refers to: a path, or `TCP:[…]`. Empty for calls without descriptor. */
  readonly file: string
  readonly enteredAt: number
  readonly leftAt: number
  /** The return value; -1 for errors and for calls that never returned. */
  readonly result: number
}

/** What the trace must hold; `%file` names the output. One line per call, descriptors resolved. */
export const TRACE_COMMAND: readonly string[] = [
  'strace',
  '-D',
  '-f',
  '--seccomp-bpf',
  '-yy',
  '-s',
  '640',
  '-e',
  'signal=none',
  '-e',
  'trace=pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,fdatasync,fsync,rename,renameat,renameat2',
]

const WRITES = new Set(['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendto', 'sendmsg'])
const SYNCS = new Set(['fsync', 'fdatasync'])
const RENAMES = new Set(['rename', 'renameat', 'renameat2'])

const isPack = (file: string): boolean => /\/blocks\/(.*\/)?packs?\//.test(file)
const isWal = (file: string): boolean => file.endsWith('-wal')
const isUpload = (file: string): boolean => /\/blocks\/(.*\/)?(staging|objects)\//.test(file)

interface Pending {
  readonly name: string
  readonly args: string
  readonly enteredAt: number
}

const descriptorOf = (args: string): string =>
  /^\d+<((?:TCP|UDP|UNIX)[^\]]*\]|[^>]*)>/.exec(args)?.[1] ?? ''

function toCall(thread: number, entered: Pending, leftAt: number, outcome: string): Call {
  const { name, args, enteredAt } = entered
  return {
    thread,
    name,
    args,
    file: descriptorOf(args),
    enteredAt,
    leftAt,
    result: /^\d+/.test(outcome) ? Number.parseInt(outcome, 10) : -1,
  }
}

/** The calls of a trace in the order in which they were entered. Lines of other kinds are skipped. */
export function parseTrace(text: string): Call[] {
  const calls: Call[] = []
  const pending = new Map<number, Pending>()
  text.split('\n').forEach((line, at) => {
    const [, threadText, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    if (threadText === undefined || rest === undefined) return
    const thread = Number(threadText)
    const unfinished = /^(\w+)\((.*?)\s*<unfinished \.\.\.>$/.exec(rest)
    if (unfinished) {
      pending.set(thread, { name: unfinished[1] ?? '', args: unfinished[2] ?? '', enteredAt: at })
      return
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)$/.exec(rest)
    const begun = pending.get(thread)
    if (resumed && begun) {
      pending.delete(thread)
      const args = begun.args + (resumed[2] ?? '')
      calls.push(toCall(thread, { ...begun, args }, at, resumed[3] ?? ''))
      return
    }
    const whole = /^(\w+)\((.*)\)\s+= (.*)$/.exec(rest)
    if (whole) {
      const entered = { name: whole[1] ?? '', args: whole[2] ?? '', enteredAt: at }
      calls.push(toCall(thread, entered, at, whole[3] ?? ''))
    }
  })
  for (const [thread, begun] of pending) calls.push(toCall(thread, begun, Infinity, ''))
  return calls.toSorted((left, right) => left.enteredAt - right.enteredAt)
}

export const isSync = (call: Call): boolean => SYNCS.has(call.name) && call.result === 0
const isWrite = (call: Call): boolean => WRITES.has(call.name) && call.result > 0

/** Every call that starts an answer with status 2xx, in order. */
export const acknowledgements = (calls: readonly Call[]): Call[] =>
  calls.filter(
    (call) =>
      WRITES.has(call.name) && call.file.startsWith('TCP') && /"HTTP\/1\.1 2/.test(call.args),
  )

/** The trace as a node would leave it that does not sync some of its files. */
export const withoutSyncs = (calls: readonly Call[], of: 'pack' | 'wal'): Call[] =>
  calls.filter((call) => !(isSync(call) && (of === 'pack' ? isPack : isWal)(call.file)))

/** The sync that made `write` durable before `deadline`: of the same file, entered after the write was done. */
const syncAfter = (calls: readonly Call[], write: Call, deadline: number): Call | undefined =>
  calls.find(
    (call) =>
      isSync(call) &&
      call.file === write.file &&
      call.enteredAt > write.leftAt &&
      call.leftAt < deadline,
  )

const describeCall = (call: Call): string => `line ${call.enteredAt + 1}: ${call.name} ${call.file}`

const lastPerFile = (calls: readonly Call[]): Call[] => [
  ...new Map(calls.map((call) => [call.file, call])).values(),
]

/** Problems of one change: all calls between the answer before it and its own. */
function checkChange(window: readonly Call[], answer: Call): string[] {
  const problems: string[] = []
  const writes = window.filter(isWrite)
  const blocks = writes.filter(({ file }) => isPack(file) || isUpload(file))
  const rows = writes.filter(({ file }) => isWal(file))
  if (!blocks.some(({ file }) => isPack(file))) problems.push('no pack was written')
  const lastRow = rows.at(-1)
  if (lastRow === undefined) return [...problems, 'no row was written']
  for (const write of lastPerFile(blocks)) {
    const sync = syncAfter(window, write, answer.enteredAt)
    if (!sync) problems.push(`${describeCall(write)} was not synced before the answer`)
    else if (sync.leftAt > lastRow.enteredAt)
      problems.push(`${describeCall(write)} was synced only after its rows were written`)
  }
  for (const rename of window.filter(
    (call) => RENAMES.has(call.name) && /objects/.test(call.args),
  )) {
    const isKept = window.some(
      (call) =>
        isSync(call) &&
        /\/objects\/[^/]+\/[^/]+$/.test(call.file) &&
        call.enteredAt > rename.leftAt &&
        call.leftAt < lastRow.enteredAt,
    )
    if (!isKept) problems.push(`${describeCall(rename)}: its directory was not synced`)
  }
  if (!syncAfter(window, lastRow, answer.enteredAt))
    problems.push(`${describeCall(lastRow)} was not synced before the answer`)
  return problems
}

/**
 * Checks a trace of changes that were sent one after another, each after the answer to the one before. `changes` tells
 * for each 2xx answer from the start of the trace whether it acknowledges a change; others are skipped.
 */
export function checkSequentialChanges(
  calls: readonly Call[],
  changes: readonly boolean[],
): string[] {
  const answers = acknowledgements(calls)
  const problems: string[] = []
  let previous = -1
  for (const [index, isChange] of changes.entries()) {
    const answer = answers[index]
    if (!answer)
      return [...problems, `the trace holds ${answers.length} of ${changes.length} answers`]
    const { enteredAt: end } = answer
    const begin = previous
    previous = end
    if (!isChange) continue
    const window = calls.filter(({ enteredAt }) => enteredAt > begin && enteredAt < end)
    problems.push(
      ...checkChange(window, answer).map((problem) => `answer ${index + 1}: ${problem}`),
    )
  }
  return problems
}

/** A value of a concurrent put: where its bytes lie, and the ETag that its answer carries. */
export interface StoredValue {
  readonly packFile: string
  readonly offset: number
  readonly etag: string
}

const writeOffset = (call: Call): number => Number(/(\d+)$/.exec(call.args)?.[1] ?? -1)

function checkStoredValue(calls: readonly Call[], value: StoredValue): string[] {
  const answer = acknowledgements(calls).find(({ args }) => args.includes(value.etag))
  if (!answer) return [`${value.etag}: no answer`]
  const write = calls.find((call) => {
    if (!isWrite(call) || call.file !== value.packFile) return false
    const from = writeOffset(call)
    return from <= value.offset && value.offset < from + call.result
  })
  if (!write) return [`${value.etag}: no write covers its bytes`]
  const packSync = syncAfter(calls, write, answer.enteredAt)
  if (!packSync) return [`${value.etag}: its pack was not synced before the answer`]
  const row = calls.find(
    (call) =>
      isWrite(call) &&
      isWal(call.file) &&
      call.thread === write.thread &&
      call.enteredAt > packSync.leftAt,
  )
  if (!row || row.enteredAt > answer.enteredAt)
    return [`${value.etag}: no row was written between its pack's sync and the answer`]
  if (!syncAfter(calls, row, answer.enteredAt))
    return [`${value.etag}: its rows were not synced before the answer`]
  return []
}

/** Checks puts of many connections at once: each value by the very write that holds its bytes. */
export const checkConcurrentPuts = (
  calls: readonly Call[],
  values: readonly StoredValue[],
): string[] => values.flatMap((value) => checkStoredValue(calls, value))
