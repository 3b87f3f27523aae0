/**
 * Durable before visible, seen from the kernel. Goal: before the bytes of an answer to a change leave the process, the
 * change's blocks were written and synced, then its rows were written and synced. Method: the real program under
 * strace, changes of every kind one after another, and puts of many connections at once.
 *
 * The checker itself is proven on the same trace with either kind of sync filtered out; the long run also proves it on
 * copies of the sources from which a sync was taken out (sync-order.long.test.ts).
 */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { IS_CI } from '../_util/paths.ts'
import {
  checkConcurrentPuts,
  checkSequentialChanges,
  parseTrace,
  withoutSyncs,
} from '../_util/sync-trace.ts'
import { traceConcurrentPuts, traceSequentialChanges } from '../_util/traced-node.ts'

const TRACE_TIMEOUT_MS = 120_000

function isTracerInstalled(): boolean {
  try {
    execFileSync('strace', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const check = (...lines: string[]): string[] =>
  checkSequentialChanges(parseTrace(lines.join('\n')), [true])

describe('trace parser', () => {
  it('joins calls that another thread interrupted, and keeps their entry and exit apart', () => {
    const calls = parseTrace(
      [
        '7  pwritev(31</d/blocks/packs/1/0.car>, [{iov_base="ab", iov_len=2}], 1, 40 <unfinished ...>',
        '8  write(32<TCP:[127.0.0.1:80->127.0.0.1:90]>, "HTTP/1.1 200 OK\\r\\n", 17) = 17',
        '7  <... pwritev resumed>)            = 2',
        '7  fdatasync(31</d/blocks/packs/1/0.car>) = 0',
        '7  +++ exited with 0 +++',
      ].join('\n'),
    )
    expect(
      calls.map(({ name, enteredAt, leftAt, result }) => [name, enteredAt, leftAt, result]),
    ).toEqual([
      ['pwritev', 0, 2, 2],
      ['write', 1, 1, 17],
      ['fdatasync', 3, 3, 0],
    ])
    expect(calls[0]?.file).toBe('/d/blocks/packs/1/0.car')
    expect(calls[1]?.file).toBe('TCP:[127.0.0.1:80->127.0.0.1:90]')
  })

  const pack = '7  pwritev(31</d/blocks/packs/1/0.car>, [], 1, 40) = 2'
  const packSync = '7  fdatasync(31</d/blocks/packs/1/0.car>) = 0'
  const wal = '7  pwrite64(29</d/caps.db-wal>, "", 24, 32) = 24'
  const walSync = '7  fdatasync(29</d/caps.db-wal>) = 0'
  const answer = '8  write(32<TCP:[127.0.0.1:80->127.0.0.1:90]>, "HTTP/1.1 200 OK\\r\\n", 17) = 17'
  it('is content with blocks, sync, rows, sync, answer', () => {
    expect(check(pack, packSync, wal, walSync, answer)).toEqual([])
  })

  it.each([
    ['the pack is not synced', [pack, wal, walSync, answer]],
    ['the rows are not synced', [pack, packSync, wal, answer]],
    ['the pack is synced after the rows are written', [pack, wal, packSync, walSync, answer]],
    ['the pack is written again after its sync', [pack, packSync, pack, wal, walSync, answer]],
    ['rows are written again after their sync', [pack, packSync, wal, walSync, wal, answer]],
    ['the answer leaves before the last sync', [pack, packSync, wal, answer, walSync]],
    ['the sync failed', [pack, packSync.replace('= 0', '= -1 EIO'), wal, walSync, answer]],
    ['nothing was written to a pack', [wal, walSync, answer]],
    ['no rows were written', [pack, packSync, answer]],
    ['there is no answer', [pack, packSync, wal, walSync]],
  ])('objects when %s', (_name, lines) => {
    expect(check(...lines)).not.toEqual([])
  })
})

describe.skipIf(!isTracerInstalled() && !IS_CI)('the node under strace', () => {
  it(
    'answers each change only after its blocks and then its rows were synced',
    async () => {
      const { calls, changes } = await traceSequentialChanges()
      expect(checkSequentialChanges(calls, changes)).toEqual([])
      expect(changes.filter(Boolean).length).toBeGreaterThan(10)
      // The same trace without the syncs of either kind must not pass.
      expect(checkSequentialChanges(withoutSyncs(calls, 'pack'), changes)).not.toEqual([])
      expect(checkSequentialChanges(withoutSyncs(calls, 'wal'), changes)).not.toEqual([])
    },
    TRACE_TIMEOUT_MS,
  )

  it(
    'answers puts of many connections only after the write that holds each was synced',
    async () => {
      const { calls, values } = await traceConcurrentPuts({ connections: 32, puts: 400 })
      expect(values.length).toBe(400)
      expect(checkConcurrentPuts(calls, values)).toEqual([])
      expect(checkConcurrentPuts(withoutSyncs(calls, 'pack'), values)).not.toEqual([])
      expect(checkConcurrentPuts(withoutSyncs(calls, 'wal'), values)).not.toEqual([])
    },
    TRACE_TIMEOUT_MS,
  )
})
