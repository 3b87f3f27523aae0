import { afterEach, describe, expect, it } from 'vitest'
import { type Backend, BackendChoice } from '../../../src/protocol/crypto/backend-choice.ts'
import { describeBackends, selectBackends } from '../../../src/protocol/crypto/backends.ts'
import { requireNative } from '../../../src/protocol/crypto/native-module.ts'
import { hasNativePackages } from '../../_util/native-packages.ts'

interface Adder extends Backend {
  add(a: number, b: number): number
}

const right: Adder = { name: 'right', add: (a, b) => a + b }
const portable: Adder = { name: 'portable', add: (a, b) => b + a }
const wrong: Adder = { name: 'wrong', add: (a, b) => a - b }
const broken: Adder = {
  name: 'broken',
  add: () => {
    throw new Error('illegal instruction')
  },
}

const adds = (backend: Adder): boolean => backend.add(1, 2) === 3
const loadMissing = (): Adder => {
  const missing: Adder = requireNative('tinycloud-no-such-package')
  return missing
}

describe('BackendChoice', () => {
  it('passes over what is missing, wrong or broken', () => {
    const choice = new BackendChoice<Adder>(
      [
        { load: loadMissing },
        { load: () => undefined },
        { load: () => wrong },
        { load: () => broken },
        { load: () => right },
        { load: () => portable, isPortable: true },
      ],
      adds,
    )
    expect(choice.current.name).toBe('right')
    expect(choice.available().map(({ name }) => name)).toEqual(['right', 'portable'])
  })

  it('changes on request, and back', () => {
    const choice = new BackendChoice<Adder>(
      [{ load: () => right }, { load: () => portable, isPortable: true }],
      adds,
    )
    choice.select({ portable: true })
    expect(choice.current.name).toBe('portable')
    choice.select({ portable: false })
    expect(choice.current.name).toBe('right')
    choice.use(portable)
    expect(choice.current.name).toBe('portable')
  })

  it('fails at once when nothing works', () => {
    expect(() => new BackendChoice<Adder>([{ load: () => wrong, isPortable: true }], adds)).toThrow(
      /no backend works/,
    )
  })
})

describe('selectBackends', () => {
  afterEach(() => {
    selectBackends()
  })

  it('can use portable code alone', () => {
    selectBackends({ portable: true })
    expect(describeBackends()).toEqual({
      ed25519: '@noble/ed25519',
      secp256k1: '@noble/curves',
      p256: '@noble/curves',
      blake3: 'hash-wasm',
    })
  })

  it.runIf(hasNativePackages)('prefers native code', () => {
    selectBackends()
    expect(describeBackends()).toEqual({
      ed25519: 'sodium-native',
      secp256k1: 'secp256k1',
      p256: 'node:crypto',
      blake3: '@napi-rs/blake-hash',
    })
  })
})
