import { decode, encode } from '@ipld/dag-cbor'
import { describe, expect, it } from 'vitest'
import { formatCapabilities, parseCapabilities } from '../../src/protocol/capabilities.ts'
import { parseAttenuation } from '../../src/protocol/attenuation.ts'
import { equalJson, NO_CAVEATS, parseUcanCaveats } from '../../src/protocol/caveats.ts'
import { codeOf, OWNER, SPACE } from '../_util/credentials.ts'

const capabilitiesOf = (attenuation: Record<string, unknown>) =>
  parseAttenuation(attenuation, parseUcanCaveats)

describe('capabilities of a row', () => {
  it('come back as they were written', () => {
    const capabilities = capabilitiesOf({
      [`${SPACE}/kv/a?q#f`]: { 'tinycloud.kv/delete': [{}] },
      'urn:x:y': { 'a/b': [{ list: [1, -0.5, null, true], text: 'ä' }, {}] },
      [`${SPACE}/kv/./a`]: { 'a/b': [{}] },
    })
    expect(parseCapabilities(formatCapabilities(capabilities))).toEqual(capabilities)
    expect(parseCapabilities(formatCapabilities([]))).toEqual([])
  })

  it('are triples in the spelling of the token, addresses in EIP-55', () => {
    const lower = SPACE.replace(OWNER.address, OWNER.address.toLowerCase())
    const bytes = formatCapabilities(
      capabilitiesOf({ [`${lower}/kv`]: { 'tinycloud.kv/delete': [{}] } }),
    )
    expect(decode(bytes)).toEqual([[`${SPACE}/kv`, 'tinycloud.kv/delete', {}]])
  })

  it('share the one value for no caveats', () => {
    const [capability] = parseCapabilities(
      formatCapabilities(capabilitiesOf({ 'x:y': { 'a/b': [{}] } })),
    )
    expect(capability?.caveats).toBe(NO_CAVEATS)
  })

  it('keep caveats equal to what a later token states', () => {
    const stated =
      '[{"n":[0,-0,1,1.0,1e3,0.1,1e300,-1e-300,9007199254740991,9007199254740993,1e21]}]'
    const attenuation = { 'x:y': { 'a/b': JSON.parse(stated) as unknown } }
    const [stored] = parseCapabilities(formatCapabilities(capabilitiesOf(attenuation)))
    expect(equalJson(stored?.caveats, capabilitiesOf(attenuation)[0]?.caveats)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['no list', {}],
    ['no triple', [['x:y', 'a/b']]],
    ['no resource', [[1, 'a/b', {}]]],
    ['no URI', [['x y', 'a/b', {}]]],
    ['no ability', [['x:y', null, {}]]],
    ['no caveats', [['x:y', 'a/b', []]]],
  ])('refuse other bytes: %s', (_, value) => {
    expect(codeOf(() => parseCapabilities(encode(value)))).toBe('TOKEN_MALFORMED')
  })
})
