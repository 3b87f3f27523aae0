import { describe, expect, it } from 'vitest'

import { readLaneName } from '../../../src/main/pipeline/lane-name.ts'

const ADDRESS = '0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const SPACE = `tinycloud:pkh:eip155:1:${ADDRESS}:default`

const encode = (text: string): string => Buffer.from(text).toString('base64url')
const ucan = (payload: unknown): string => `${encode('{}')}.${encode(JSON.stringify(payload))}.c2ln`

describe('readLaneName', () => {
  it('takes the space that a UCAN names first, whatever its service and path', () => {
    for (const rest of ['/kv/a', '/kv', '', '/kv/a?x=1', '#f']) {
      expect(readLaneName(ucan({ att: { [`${SPACE}${rest}`]: {} } }), '1.2.3.4')).toBe(
        SPACE.toLowerCase(),
      )
    }
  })

  it('takes one lane for all spellings of an address', () => {
    const upper = ucan({ att: { [`${SPACE}/kv`]: {} } })
    const lower = ucan({ att: { [`${SPACE.toLowerCase()}/kv`]: {} } })
    expect(readLaneName(upper, 'x')).toBe(readLaneName(lower, 'x'))
  })

  it('takes the account of a CACAO', () => {
    const cbor = Buffer.concat([
      Buffer.from([0xa3, 0x61]),
      Buffer.from(`issx;did:pkh:eip155:1:${ADDRESS}`),
    ])
    expect(readLaneName(cbor.toString('base64url'), 'x')).toBe(
      `did:pkh:eip155:1:${ADDRESS}`.toLowerCase(),
    )
  })

  it('falls back to the client for whatever it cannot read', () => {
    for (const token of [
      '',
      '.',
      '..',
      'garbage',
      'a.b.c',
      ucan({ att: { 'urn:cid:x': {} } }),
      '\u00ff.\u00ff',
    ]) {
      expect(readLaneName(token, '1.2.3.4')).toBe('client 1.2.3.4')
    }
  })

  it('bounds the name and what it searches', () => {
    const long = readLaneName(ucan({ att: { [`${SPACE}${'n'.repeat(5000)}`]: {} } }), 'x')
    expect(long.length).toBe(256)
    const late = ucan({ pad: 'p'.repeat(20_000), att: { [SPACE]: {} } })
    expect(readLaneName(late, 'x')).toBe('client x')
  })
})
