/** What a person sees of a verification: the report, and how far it is. */
import { describe, expect, it } from 'vitest'
import { ProgressDisplay } from '../../../src/main/commands/verify-progress.ts'
import { formatReport } from '../../../src/main/commands/verify-report.ts'
import { type VerifyReport } from '../../../src/workers/maintenance/request.ts'

const PLACES = { database: '/data/caps.db', blocks: '/data/blocks' }

const reportOf = (changes: Partial<VerifyReport> = {}): VerifyReport => ({
  checks: [
    { name: 'row', what: 'checksums of rows', checked: 1_234_567, problems: 0 },
    { name: 'value', what: 'live values', checked: 20, problems: 0 },
    { name: 'structure', what: 'pages', checked: 0, problems: 0 },
  ],
  problems: 0,
  damages: [],
  reclaimable: { files: 0, bytes: 0 },
  stored: { spaces: 1, keys: 2, statements: 3, packs: 1, objects: 0, readBytes: 3 * 1024 * 1024 },
  unconfirmedSignatures: { didWeb: 0, contractWallets: 0 },
  isServed: false,
  isQuarantined: false,
  elapsedMs: 1234,
  ...changes,
})

const textOf = (report: VerifyReport): string => formatReport(PLACES, report).join('\n')

describe('the report', () => {
  it('of sound data says what was compared, and ends with 0 problems', () => {
    expect(textOf(reportOf())).toBe(
      [
        'database  /data/caps.db',
        'blocks    /data/blocks',
        '',
        '✓ row            1,234,567  checksums of rows',
        '✓ value                 20  live values',
        '',
        '1 space, 2 keys, 3 statements, 1 pack, 0 large values; 3.0 MiB of blocks read in 1.2 s.',
        '',
        '0 problems',
      ].join('\n'),
    )
  })

  it('names what is damaged, as much as a screen takes', () => {
    const damages = Array.from({ length: 60 }, (_, index) => ({
      kind: 'kv_version' as const,
      rowId: String(index),
      reason: 'value: fails its hash',
    }))
    const checks = [{ name: 'value', what: 'live values', checked: 2000, problems: 1060 }]
    const lines = formatReport(PLACES, reportOf({ checks, damages, problems: 1060 }))
    expect(lines).toContain('✗ value              2,000  live values  1,060 problems')
    expect(lines).toContain('kv_version 0: value: fails its hash')
    expect(lines.filter((line) => line.startsWith('kv_version'))).toHaveLength(50)
    expect(lines).toContain('… and 1,010 more (--json lists them)')
    expect(lines.at(-1)).toBe('1,060 problems')
  })

  it('shows a check that found something without comparing', () => {
    const checks = [{ name: 'object', what: 'large values', checked: 0, problems: 1 }]
    expect(textOf(reportOf({ checks, problems: 1 }))).toMatch(/^✗ object .* 1 problem$/m)
  })

  it.each([
    ['a running node', { isServed: true }, /A node is running here/],
    [
      'damage in a running node',
      { isServed: true, problems: 1 },
      /scrub will meet the damage and put it into quarantine/,
    ],
    ['the quarantine', { isQuarantined: true }, /The quarantine now holds/],
    [
      'files to reclaim',
      { reclaimable: { files: 3, bytes: 1536 } },
      /^3 files \(1\.5 KiB\) that no row names/m,
    ],
    [
      'signatures of did:web',
      { unconfirmedSignatures: { didWeb: 2, contractWallets: 0 } },
      /^2 signatures of did:web, which only a network can confirm/m,
    ],
    [
      'signatures of contract wallets',
      { unconfirmedSignatures: { didWeb: 0, contractWallets: 1 } },
      /^1 signature of contract wallets, which only a network can confirm/m,
    ],
  ])('tells of %s', (_name, changes, text) => {
    expect(textOf(reportOf(changes))).toMatch(text)
    expect(textOf(reportOf())).not.toMatch(text)
  })
})

interface Screen {
  readonly display: ProgressDisplay
  readonly written: string[]
  nowMs: number
}

function createScreen(isTerminal: boolean): Screen {
  const written: string[] = []
  const clock = { nowMs: 0 }
  const display = new ProgressDisplay({
    isTerminal,
    write: (text) => void written.push(text),
    nowMs: () => clock.nowMs,
  })
  return Object.assign(clock, { display, written })
}

describe('progress', () => {
  it('is a bar on a terminal, which goes away before the report', () => {
    const { display, written } = createScreen(true)
    display.show({ kind: 'progress', phase: 'history', done: 50, total: 200 })
    expect(written).toEqual([`\r\u001B[K${'█'.repeat(8)}${'░'.repeat(22)}  25 %  2/6 history`])
    display.close()
    expect(written.at(-1)).toBe('\r\u001B[K')
    display.close()
    expect(written).toHaveLength(2)
  })

  it('elsewhere is a line every few seconds', () => {
    const screen = createScreen(false)
    for (let second = 0; second <= 12; second++) {
      screen.nowMs = second * 1000
      screen.display.show({ kind: 'progress', phase: 'packs', done: second, total: 12 })
    }
    screen.display.close()
    expect(screen.written).toEqual(['verify: packs 41 %\n', 'verify: packs 83 %\n'])
  })

  it('never shows more than all, or divides by nothing', () => {
    const { display, written } = createScreen(true)
    display.show({ kind: 'progress', phase: 'files', done: 7, total: 0 })
    display.show({ kind: 'progress', phase: 'keys', done: 11, total: 10 })
    expect(written.map((text) => /\d+ %/.exec(text)?.[0])).toEqual(['0 %', '100 %'])
  })
})
