import { describe, expect, it } from 'vitest'

import { describeSettings } from '../../../src/main/config/describe.ts'
import { readVersion } from '../../../src/main/version.ts'
import { runInProcess } from '../../_util/command-run.ts'

describe('the command line', () => {
  it.each([
    [['dmeo'], 'there is no command dmeo. Did you mean demo?'],
    [['start'], 'Did you mean'],
    [['--port', '80'], 'there is no option --port.'],
    [['serve', 'now'], 'takes no arguments, but got now'],
    [['demo', '--loud'], "Unknown option '--loud'"],
    [['demo', 'ftp://example.org'], 'is not the URL of a node'],
    [['demo', '127.0.0.1:8000'], 'is not the URL of a node'],
    [['demo', 'http://a', 'http://b'], 'takes one URL'],
    [['demo', '--verbose=yes'], 'does not take an argument'],
  ])('%j is refused with how it is meant', async (argv, text) => {
    const { exitCode, output, errors } = await runInProcess(argv)
    expect(exitCode).toBe(2)
    expect(errors).toContain(text)
    expect(errors).toContain('tinycloud help')
    expect(output).toBe('')
  })

  it.each([['help'], ['--help'], ['-h']])(
    '%s shows commands and every setting',
    async (argument) => {
      const { exitCode, output, errors } = await runInProcess([argument])
      expect(exitCode).toBe(0)
      expect(errors).toBe('')
      for (const { key, variable, doc } of describeSettings())
        for (const text of [key, variable, doc]) expect(output).toContain(text)
      for (const command of ['serve', 'demo', 'version', 'help']) expect(output).toContain(command)
    },
  )

  it.each([['version'], ['--version'], ['-v']])('%s shows the version', async (argument) => {
    const { exitCode, output } = await runInProcess([argument])
    expect(exitCode).toBe(0)
    expect(output).toMatch(/^tinycloud \d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+, \w+ \w+\)\n$/)
    expect(output).toContain(readVersion())
  })
})

describe('a configuration that is wrong', () => {
  it('stops serve and demo with what, why and what to do', async () => {
    for (const command of ['serve', 'demo']) {
      const { exitCode, output, errors } = await runInProcess([command], {
        environment: { TINYCLOUD_PROT: '8001' },
      })
      expect(exitCode).toBe(1)
      expect(output).toBe('')
      expect(errors).toContain('✗ The configuration has a problem')
      expect(errors).toContain(
        'Why:         TINYCLOUD_PROT is not known. Did you mean TINYCLOUD_PORT?',
      )
      expect(errors).toContain('What to do:')
    }
  })
})
