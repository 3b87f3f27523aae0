import { describe, expect, it } from 'vitest'

import { createLogger, type Logger } from '../../src/main/logger.ts'

function capture(
  format: 'text' | 'json',
  level: 'normal' | 'debug' = 'normal',
): { log: Logger; lines: string[] } {
  const lines: string[] = []
  return { log: createLogger({ level, format }, { write: (line) => void lines.push(line) }), lines }
}

describe('createLogger', () => {
  it('writes one JSON object a line', () => {
    const { log, lines } = capture('json')
    log.warn({ a: 1, b: 'two' }, 'something')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 40,
      a: 1,
      b: 'two',
      msg: 'something',
    })
    expect(lines[0]?.endsWith('\n')).toBe(true)
  })

  it('writes text: time, level, event, fields', () => {
    const { log, lines } = capture('text')
    log.info({ url: 'http://x', list: [1, 2] }, 'listening')
    log.error('plain')
    expect(lines[0]).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {2}listening url=http:\/\/x list=\[1,2\]\n$/,
    )
    expect(lines[1]).toMatch(/ ERROR plain\n$/)
  })

  it('keeps a field with line ends on its line', () => {
    const { log, lines } = capture('text')
    log.error({ error: 'one\ntwo' }, 'event')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.split('\n')).toHaveLength(2)
  })

  it('is silent about debug events unless asked', () => {
    for (const [level, count] of [
      ['normal', 0],
      ['debug', 1],
    ] as const) {
      const { log, lines } = capture('json', level)
      log.debug('detail')
      expect(lines).toHaveLength(count)
    }
  })
})
