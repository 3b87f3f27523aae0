import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'

import { faultOf, formatFault } from '../../src/main/fault.ts'
import { StartFault, type Fault } from '../../src/workers/storage/request.ts'

const FAULT: Fault = { what: 'It fails', why: 'One reason.\nAnother.', remedy: 'Do this.' }

describe('formatFault', () => {
  it('prints what, why and what to do, with lines kept and aligned', () => {
    expect(formatFault(FAULT)).toBe(
      [
        '',
        '✗ It fails',
        '',
        '  Why:         One reason.',
        '               Another.',
        '  What to do:  Do this.',
        '',
        '',
      ].join('\n'),
    )
  })
})

describe('faultOf', () => {
  it('gives the fault that was thrown, also one that came from another thread as data', () => {
    expect(faultOf(new StartFault(FAULT))).toBe(FAULT)
    expect(faultOf(structuredClone(FAULT))).toEqual(FAULT)
  })

  it('explains a port in use with what to do', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const error = await new Promise<Error>((resolve) => {
      createServer().once('error', resolve).listen(port, '127.0.0.1')
    })
    await new Promise((resolve) => taken.close(resolve))
    const fault = faultOf(error)
    expect(fault.what).toBe(`The node cannot listen on 127.0.0.1:${port}`)
    expect(fault.why).toContain('EADDRINUSE')
    expect(fault.remedy).toContain('TINYCLOUD_PORT')
  })

  it('explains an address of another machine, and a port that needs a privilege', async () => {
    const error = await new Promise<Error>((resolve) => {
      createServer().once('error', resolve).listen(0, '192.0.2.1')
    })
    expect(faultOf(error).remedy).toContain('TINYCLOUD_ADDRESS')

    const denied = Object.assign(new Error('listen EACCES'), {
      code: 'EACCES',
      syscall: 'listen',
      address: '0.0.0.0',
      port: 80,
    })
    expect(faultOf(denied).what).toContain('0.0.0.0:80')
    expect(faultOf(denied).why).toContain('privilege')
  })

  it('names what nobody foresaw as such, with its message', () => {
    for (const error of [new Error('boom'), 'boom', { code: 'boom' }, null])
      expect(faultOf(error).remedy).toContain('report')
    expect(faultOf(new Error('boom')).why).toBe('boom')
    const opened = Object.assign(new Error('open EACCES'), { code: 'EACCES', syscall: 'open' })
    expect(faultOf(opened).why).toBe('open EACCES')
  })
})
