/** One verdict: whichever packages are installed, a token is valid, or it is not, and has one name. */
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../src/protocol/bytes.ts'
import { type Backend, type BackendChoice } from '../../src/protocol/crypto/backend-choice.ts'
import { selectBackends } from '../../src/protocol/crypto/backends.ts'
import { blake3, blake3Backends, createBlake3 } from '../../src/protocol/crypto/blake3.ts'
import { ed25519Backends, verifyEd25519 } from '../../src/protocol/crypto/ed25519.ts'
import { p256Backends, verifyP256 } from '../../src/protocol/crypto/p256.ts'
import {
  recoverSecp256k1,
  secp256k1Backends,
  verifySecp256k1,
} from '../../src/protocol/crypto/secp256k1.ts'
import { parseToken, statementId, verifyToken } from '../../src/protocol/token.ts'
import { refusalOf } from '../_util/credentials.ts'
import {
  ed25519Cases,
  p256Cases,
  secp256k1Cases,
  type SignatureCase,
} from '../_util/fuzz/crypto-cases.ts'
import { describeUnkeptFuzz, describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue } from '../_util/fuzz/refusal.ts'
import { cacaoTexts, type SignedText, ucanTexts } from '../_util/fuzz/signed-texts.ts'

/** Portable cryptography takes milliseconds. */
const TOKENS_MAX = 100_000
/** The first tokens meet every combination; the others every backend once, beside the fastest of the other primitives. */
const COMBINED_TOKENS = 100

type Choose = () => void

/** One function for each backend of a primitive that works here, the fastest first. */
const choicesOf = <B extends Backend>(choice: BackendChoice<B>): Choose[] =>
  choice.available().map((backend) => () => choice.use(backend))

const PRIMITIVES: readonly (readonly Choose[])[] = [
  choicesOf(ed25519Backends),
  choicesOf(secp256k1Backends),
  choicesOf(p256Backends),
  choicesOf(blake3Backends),
]

/** Each backend of each primitive, the other primitives at their fastest. */
const ONE_BY_ONE: readonly (readonly Choose[])[] = PRIMITIVES.flatMap((choices, index) =>
  choices.map((choose) =>
    PRIMITIVES.map(([fastest = choose], at) => (at === index ? choose : fastest)),
  ),
)

const COMBINATIONS: readonly (readonly Choose[])[] = PRIMITIVES.reduce<readonly Choose[][]>(
  (lines, choices) => lines.flatMap((line) => choices.map((choose) => [...line, choose])),
  [[]],
)

function verdict(text: string): string {
  let names = ''
  const refusal = refusalOf(() => {
    const token = parseToken(text)
    names = `${toHex(token.digest)} ${toHex(statementId(token))}`
    verifyToken(token)
  })
  return `${refusal?.code ?? 'valid'} ${names}`
}

/** The one answer of all lines of backends. @throws when there are two */
function agreed<T>(lines: readonly (readonly Choose[])[], ask: () => T): T | undefined {
  let first: { readonly answer: T } | undefined
  for (const line of lines) {
    for (const choose of line) choose()
    const answer = ask()
    first ??= { answer }
    assertTrue(
      answer === first.answer,
      `one verdict, not ${String(answer)} beside ${String(first.answer)}`,
    )
  }
  return first?.answer
}

let tokens = 0
describeValueFuzz<SignedText>({
  name: 'differential tokens',
  runsMax: TOKENS_MAX,
  inputs: fc.oneof(ucanTexts, cacaoTexts),
  check: ({ text }) => {
    const lines = tokens++ < COMBINED_TOKENS ? COMBINATIONS : ONE_BY_ONE
    return agreed(lines, () => verdict(text))?.startsWith('valid') === true
  },
})

const single = (choices: readonly Choose[]): Choose[][] => choices.map((choose) => [choose])

function describePrimitive(
  name: string,
  choices: readonly Choose[],
  cases: fc.Arbitrary<SignatureCase>,
  ask: (one: SignatureCase) => boolean | string,
): void {
  describeUnkeptFuzz<SignatureCase>({
    name: `differential ${name}`,
    runsMax: TOKENS_MAX,
    inputs: cases,
    check: (one) => {
      const answer = agreed(single(choices), () => ask(one))
      return answer !== false && answer !== 'none'
    },
  })
}

const [edChoices = [], k1Choices = [], p256Choices = [], blake3Choices = []] = PRIMITIVES

describePrimitive('ed25519', edChoices, ed25519Cases, ({ signature, message, publicKey }) =>
  verifyEd25519(signature, message, publicKey),
)
describePrimitive('p256', p256Choices, p256Cases, ({ signature, message, publicKey }) =>
  verifyP256(signature, message, publicKey),
)
describePrimitive('secp256k1', k1Choices, secp256k1Cases, ({ signature, message, publicKey }) =>
  verifySecp256k1(signature, message, publicKey),
)
describePrimitive('recovery', k1Choices, secp256k1Cases, ({ signature, message, publicKey }) => {
  const recovery = (publicKey.at(-1) ?? 0) % 2 === 0 ? 0 : 1
  const recovered = recoverSecp256k1(message, signature, recovery)
  return recovered === undefined ? 'none' : toHex(recovered)
})

describeUnkeptFuzz<readonly Uint8Array[]>({
  name: 'differential blake3',
  runsMax: TOKENS_MAX,
  inputs: fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat({ max: 5000 }).map((length) => new Uint8Array(length).fill(length)),
    ),
    { maxLength: 4 },
  ),
  check: (parts) => {
    const whole = agreed(single(blake3Choices), () => toHex(blake3(Buffer.concat(parts))))
    const pieces = agreed(single(blake3Choices), () => {
      const hasher = createBlake3()
      for (const part of parts) hasher.update(part)
      return toHex(hasher.digest())
    })
    assertTrue(whole === pieces, 'in pieces it has the same hash')
    return true
  },
})

describe('backends of this machine', () => {
  afterEach(() => selectBackends())

  it('are more than the portable ones', () => {
    expect(PRIMITIVES.map((choices) => choices.length)).toEqual([3, 2, 2, 3])
    expect(COMBINATIONS).toHaveLength(36)
  })

  it('would show a difference', () => {
    const real = ed25519Backends.current
    const choices = [
      () => ed25519Backends.use(real),
      () => ed25519Backends.use({ ...real, name: 'x' }),
    ]
    expect(() => agreed(single(choices), () => ed25519Backends.current.name)).toThrow('one verdict')
  })
})
