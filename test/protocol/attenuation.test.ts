import { describe, expect, it } from 'vitest'
import { parseAttenuation } from '../../src/protocol/attenuation.ts'
import { parseUcanCaveats } from '../../src/protocol/caveats.ts'
import { codeOf, OWNER, SPACE } from '../_util/credentials.ts'

const LOWER_SPACE = SPACE.replace(OWNER.address, OWNER.address.toLowerCase())
const GET = 'tinycloud.kv/get'

const textsOf = (attenuation: Record<string, unknown>): string[][] =>
  parseAttenuation(attenuation, parseUcanCaveats).map(({ resource, ability }) => [
    resource.text,
    ability,
  ])

describe('parseAttenuation', () => {
  it('takes an empty one, and a resource without abilities', () => {
    expect(textsOf({})).toEqual([])
    expect(textsOf({ [`${SPACE}/kv`]: {} })).toEqual([])
  })

  it('counts two spellings of one resource once', () => {
    expect(
      textsOf({
        [`${LOWER_SPACE}/kv/a`]: { [GET]: [{}], 'tinycloud.kv/put': [{}] },
        [`${SPACE}/kv/a`]: { [GET]: [{}] },
      }),
    ).toEqual([
      [`${SPACE}/kv/a`, GET],
      [`${SPACE}/kv/a`, 'tinycloud.kv/put'],
    ])
  })

  it('refuses two spellings with different caveats', () => {
    const attenuation = {
      [`${LOWER_SPACE}/kv/a`]: { [GET]: [{}] },
      [`${SPACE}/kv/a`]: { [GET]: [{ only: 'sundays' }] },
    }
    expect(codeOf(() => textsOf(attenuation))).toBe('TOKEN_MALFORMED')
  })

  it('keeps an alias beside the ability that it stands for', () => {
    const names = ['tinycloud.kv/del', 'tinycloud.kv/delete']
    const attenuation = { [`${SPACE}/kv/a`]: { [names[1] ?? '']: [{}], [names[0] ?? '']: [{}] } }
    expect(textsOf(attenuation).map(([, ability]) => ability)).toEqual(names)
  })
})
