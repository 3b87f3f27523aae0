import { describe, expect, it } from 'vitest'
import { type Capability } from '../../../../src/protocol/authority.ts'
import { KEY_BYTES_MAX } from '../../../../src/protocol/limits.ts'
import { parseResource } from '../../../../src/protocol/resource.ts'
import { effectOf } from '../../../../src/workers/compute/invoke/effects.ts'

const SPACE = 'tinycloud:pkh:eip155:1:0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A:default'

/** Only the capabilities matter to an effect; they arrive sorted. */
const effect = (...pairs: [path: string, ability: string][]) =>
  effectOf({
    capabilities: pairs.map(([path, ability]): Capability => ({
      resource: parseResource(`${SPACE}/${path}`),
      ability,
      caveats: {},
    })),
  })

const reads = (count: number) =>
  Array.from({ length: count }, (_, index): [string, string] => [`kv/${index}`, 'tinycloud.kv/get'])

const keysOf = (targets: readonly { keyText: string }[]) => targets.map(({ keyText }) => keyText)

describe('effectOf', () => {
  it('reads one key or a batch of one kind', () => {
    const one = effect(['kv/a', 'tinycloud.kv/get'])
    expect(one.kind === 'read' && [one.read, keysOf(one.targets)]).toEqual(['get', ['a']])
    const two = effect(['kv/a', 'tinycloud.kv/metadata'], ['kv/b', 'tinycloud.kv/metadata'])
    expect(two.kind === 'read' && [two.read, keysOf(two.targets)]).toEqual(['metadata', ['a', 'b']])
  })

  it('takes kv/delete for kv/del, and several writes together', () => {
    const mutation = effect(
      ['kv/a', 'tinycloud.kv/put'],
      ['kv/b', 'tinycloud.kv/delete'],
      ['kv/c', 'tinycloud.kv/del'],
    )
    expect(mutation.kind === 'mutate' && [keysOf(mutation.puts), keysOf(mutation.deletes)]).toEqual(
      [['a'], ['b', 'c']],
    )
  })

  it('keeps keys as the URI writes them, the empty one included', () => {
    const list = effect(['kv/', 'tinycloud.kv/list'])
    expect(list.kind === 'list' && list.target.keyText).toBe('')
    const escaped = effect(['kv/a%2Fb//c', 'tinycloud.kv/get'])
    expect(escaped.kind === 'read' && keysOf(escaped.targets)).toEqual(['a%2Fb//c'])
  })

  // ABIL-2
  it.each([
    [['kv', 'tinycloud.kv/get']],
    [['kv/a', 'tinycloud.kv/frobnicate']],
    [['weather/a', 'example.app/forecast']],
    [['space', 'tinycloud.space/info']],
    [['capabilities/some', 'tinycloud.capabilities/read']],
    [['capabilities', 'tinycloud.capabilities/read']],
  ] as [string, string][][])('has no effect for %j', (pair) => {
    expect(effect(pair).kind).toBe('none')
  })

  // INV-11
  it.each([
    [
      ['kv/a', 'tinycloud.kv/get'],
      ['kv/b', 'tinycloud.kv/metadata'],
    ],
    [
      ['kv/a', 'tinycloud.kv/put'],
      ['kv/b', 'tinycloud.kv/get'],
    ],
    [
      ['kv/a', 'tinycloud.kv/del'],
      ['kv/b', 'tinycloud.kv/list'],
    ],
    [
      ['kv/a', 'tinycloud.kv/list'],
      ['kv/b', 'tinycloud.kv/list'],
    ],
    [
      ['kv/a', 'tinycloud.kv/del'],
      ['kv/a', 'tinycloud.kv/put'],
    ],
    [
      ['capabilities/all', 'tinycloud.capabilities/read'],
      ['kv/b', 'tinycloud.kv/put'],
    ],
  ] as [string, string][][])('refuses the mixture %j', (...pairs) => {
    expect(() => effect(...pairs)).toThrow('OUTCOMES_MIXED')
  })

  // INV-12
  it.each(['sql', 'duckdb', 'hooks', 'encryption'])(
    'names the service %s, which is not here',
    (service) => {
      expect(
        effect(['kv/a', 'tinycloud.kv/put'], [`${service}/x`, `tinycloud.${service}/write`]),
      ).toEqual({
        kind: 'unsupported',
        service,
      })
    },
  )

  // KV-2
  it('bounds a key that is written, and reads of any length', () => {
    const longest = 'k'.repeat(KEY_BYTES_MAX)
    expect(effect([`kv/${longest}`, 'tinycloud.kv/put']).kind).toBe('mutate')
    expect(() => effect([`kv/${longest}k`, 'tinycloud.kv/put'])).toThrow('KEY_TOO_LONG')
    expect(() => effect([`kv/${longest}k`, 'tinycloud.kv/del'])).toThrow('KEY_TOO_LONG')
    expect(effect([`kv/${longest}k`, 'tinycloud.kv/get']).kind).toBe('read')
  })

  it('bounds a batch of reads', () => {
    expect(effect(...reads(100)).kind).toBe('read')
    expect(() => effect(...reads(101))).toThrow('at most 100 keys')
  })
})
