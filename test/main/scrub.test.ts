/** The scrub as main runs it: real threads, cycle after cycle, and what it hands to storage. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createLogger } from '../../src/main/logger.ts'
import { Scrub, type ScrubConfig } from '../../src/main/scrub.ts'
import { type Damage } from '../../src/workers/storage/request.ts'
import { hosting, put } from '../_util/storage-commands.ts'
import { openStorage, storageOptions } from '../_util/storage-under-test.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

const directory = useTemporaryDirectory()
const WAIT_MS = 10_000

const running: Scrub[] = []
afterEach(async () => {
  for (const scrub of running.splice(0)) await scrub.close()
})

interface Started {
  readonly scrub: Scrub | undefined
  readonly damages: Damage[]
  readonly positions: Uint8Array[]
  readonly lines: string[]
}

function start(changes: Partial<ScrubConfig> = {}, startDelayMs = 0): Started {
  const damages: Damage[] = []
  const positions: Uint8Array[] = []
  const lines: string[] = []
  const { database, blocks } = storageOptions(directory())
  const scrub = Scrub.start(
    { database, blocks, scrubBytesPerS: 1e12, temporaryDirectory: undefined, ...changes },
    {
      storage: {
        quarantine: (found) => void damages.push(...found),
        keepScrubPosition: (position) => void positions.push(position),
      },
      log: createLogger(
        { level: 'debug', format: 'text' },
        { write: (line) => void lines.push(line) },
      ),
      startDelayMs,
    },
  )
  if (scrub) running.push(scrub)
  return { scrub, damages, positions, lines }
}

async function until(isDone: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS
  while (!isDone()) {
    if (performance.now() > deadlineMs) throw new Error('it did not come to that in time')
    await sleep(20)
  }
}

/** A directory with one space and one value, whose tokens nobody signed: that is damage. */
async function store(): Promise<void> {
  const under = await openStorage(directory())
  await under.send(hosting(), put('key', 'value'))
  await under.close()
}

describe('Scrub', () => {
  it('reads everything, tells damage, counts, and keeps where it is', async () => {
    await store()
    const { scrub, damages, positions, lines } = start()
    await until(() => scrub?.counters.cycles === 1)
    expect(damages.map(({ kind }) => kind)).toContain('statement')
    expect(scrub?.counters).toMatchObject({
      problems: damages.length,
      lastCycleEndedAtS: expect.any(Number),
    })
    expect(scrub?.counters.bytes).toBeGreaterThan(1000)
    expect(positions).toHaveLength(1)
    expect(lines.join('')).toMatch(/ERROR scrubbed problems=\d+ bytes=\d+/)
    // The next cycle is a day away.
    await sleep(200)
    expect(scrub?.counters.cycles).toBe(1)
  })

  it('is not there where it is switched off, or where nothing is kept', () => {
    expect(start({ scrubBytesPerS: 0 }).scrub).toBeUndefined()
    expect(start({ temporaryDirectory: directory() }).scrub).toBeUndefined()
  })

  it('says when a cycle fails, and does not end the node', async () => {
    mkdirSync(join(directory(), 'blocks'))
    const { scrub, lines } = start()
    await until(() => lines.some((line) => line.includes('scrub failed')))
    expect(scrub?.counters).toMatchObject({ cycles: 0, problems: 0 })
  })

  it('can be closed before it begins and while it reads', async () => {
    await store()
    const waiting = start({}, 60_000)
    await waiting.scrub?.close()
    const slow = start({ scrubBytesPerS: 1 })
    await sleep(300)
    await slow.scrub?.close()
    await sleep(50)
    expect(slow.scrub?.counters.cycles).toBe(0)
    expect(slow.lines).toEqual([])
  })
})
