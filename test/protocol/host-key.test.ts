import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../src/protocol/bytes.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { deriveSeed, hostDid, nodeDid } from '../../src/protocol/host-key.ts'

// The example secret that the existing node publishes, and the DIDs of reference-behaviour §10.
const SECRET = utf8('Some long piece of entropy which is a secret and more than 32 bytes')
const SPACE = 'tinycloud:pkh:eip155:1:0x6a12C8594c5C850d57612CA58810ABb8aeBbC04B:default'

describe('keys of the node (HOST-3)', () => {
  it('are those that the existing node derives', () => {
    expect(hostDid(SECRET, SPACE)).toBe('did:key:z6MksQJDmHgi5VuXKrsUKQbMHV8pLDkht4A93Fv8u4MwF7d8')
    expect(nodeDid(SECRET)).toBe('did:key:z6MkfhoxdzVTa6fLWMgEJNiRJomE5grMqkWyHiRbU9Tt7mAq')
  })

  it('are one for each space and each secret', () => {
    const dids = [
      hostDid(SECRET, SPACE),
      hostDid(SECRET, `${SPACE}2`),
      hostDid(utf8('another secret of more than 32 bytes'), SPACE),
      nodeDid(SECRET),
    ]
    expect(new Set(dids).size).toBe(dids.length)
  })

  it('come from blake3 of the secret and the label in UTF-8', () => {
    expect(toHex(deriveSeed(utf8('a'), 'é'))).toBe(toHex(blake3(utf8('aé'))))
  })
})
