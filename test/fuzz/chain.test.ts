/**
 * Delegation chains: whatever is delegated to whom, nobody ever gets what the owner did not pass on to him.
 *
 * Each run makes a few delegations between a few principals and compares the rules with a plain model of authority.
 */
import * as fc from 'fast-check'
import {
  type ChainLink,
  type DelegationFacts,
  type SignedToken,
} from '../../src/protocol/authority.ts'
import { NO_CAVEATS } from '../../src/protocol/caveats.ts'
import { isInForce, proveDelegation, proveInvocation } from '../../src/protocol/chain.ts'
import { CHAIN_DELEGATIONS_MAX } from '../../src/protocol/limits.ts'
import { parseResource } from '../../src/protocol/resource.ts'
import { OWNER } from '../_util/credentials.ts'
import { describeValueFuzz } from '../_util/fuzz/harness.ts'
import { assertTrue, verdictOf } from '../_util/fuzz/refusal.ts'

const SPACE = OWNER.spaceId('default')
const PEOPLE = [OWNER.did, 'did:key:a', 'did:key:b', 'did:key:c'] as const
const PATHS = ['', '/', '/a', '/a/', '/ab', '/a/b', '/a/b/c'] as const
const ABILITIES = ['tinycloud.kv/get', 'tinycloud.kv/del', 'tinycloud.kv/delete', 'x/y'] as const

interface Step {
  readonly from: string
  readonly to: string
  readonly path: string
  readonly ability: string
  readonly notBeforeS: number | null
  readonly expiresAtS: number | null
  /** Which of the delegations so far it cites. */
  readonly cites: readonly number[]
  readonly isTerminal: boolean
}

interface Story {
  readonly steps: readonly Step[]
  readonly invocation: Step
  readonly nowS: number
}

const time = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.nat({ max: 6 }) },
)
const step: fc.Arbitrary<Step> = fc.record({
  from: fc.constantFrom(...PEOPLE),
  to: fc.constantFrom(...PEOPLE),
  path: fc.constantFrom('', ...PATHS),
  ability: fc.constantFrom(...ABILITIES, 'tinycloud.kv/get'),
  notBeforeS: time,
  expiresAtS: time,
  cites: fc.uniqueArray(fc.nat({ max: 7 }), { maxLength: 2 }),
  isTerminal: fc.integer({ min: 0, max: 15 }).map((draw) => draw === 0),
})
/** Each cites the one before it and is given by its holder, so that long chains come about. */
const line = fc.array(step, { minLength: 1, maxLength: 8 }).map((steps) =>
  steps.map((one, index): Step => ({
    ...one,
    from: steps[index - 1]?.to ?? OWNER.did,
    cites: index === 0 ? [] : [index - 1],
  })),
)
const stories: fc.Arbitrary<Story> = fc
  .record({
    steps: fc.oneof(line, fc.array(step, { maxLength: 8 })),
    invocation: step,
    nowS: fc.nat({ max: 6 }),
    isByLast: fc.boolean(),
  })
  .map(({ steps, invocation, nowS, isByLast }) => {
    const last = steps.at(-1)
    if (!isByLast || !last) return { steps, invocation, nowS }
    const byLast = { ...invocation, from: last.to, cites: [steps.length - 1] }
    return { steps, invocation: byLast, nowS }
  })

function tokenOf(said: Step, number: number): SignedToken {
  const bytes = Buffer.from(`token ${number}`)
  return {
    encoding: 'ucan',
    text: '',
    bytes,
    digest: bytes,
    issuer: said.from,
    audience: said.to,
    issuerUrl: '',
    audienceUrl: '',
    notBeforeS: said.notBeforeS ?? undefined,
    expiresAtS: said.expiresAtS ?? undefined,
    issuedAtS: undefined,
    capabilities: [
      {
        resource: parseResource(`${SPACE}/kv${said.path}`),
        ability: said.ability,
        caveats: NO_CAVEATS,
      },
    ],
    proofs: [],
    facts: said.isTerminal ? [{ 'xyz.tinycloud.policy/delegationMode': 'terminal' }] : [],
    signingInput: bytes,
    signature: bytes,
    algorithm: '',
    headerJwk: undefined,
  }
}

const DELEGATION_CODES = [
  'PARENT_NOT_FOUND',
  'UNAUTHORIZED_DELEGATOR',
  'TERMINAL_PARENT',
  'CHILD_EXPIRY',
  'CHILD_NOT_BEFORE',
  'UNAUTHORIZED_CAPABILITY',
  'CHAIN_LIMIT',
] as const
const INVOCATION_CODES = [
  'PARENT_NOT_FOUND',
  'UNAUTHORIZED_INVOKER',
  'UNAUTHORIZED_ACTION',
  'CHAIN_LIMIT',
] as const

/** Itself, then all above it, each once. */
function closureOf(self: ChainLink, relies: readonly DelegationFacts[]): ChainLink[] {
  const above = relies.flatMap(({ closure }) => closure)
  return [...new Map([self, ...above].map((link) => [String(link.digest), link])).values()]
}

/** What is stored of a delegation, or undefined where it was refused. */
function store(
  delegation: Step,
  number: number,
  stored: readonly (DelegationFacts | undefined)[],
): DelegationFacts | undefined {
  const token = tokenOf(delegation, number)
  const parents = delegation.cites.map((index) => stored[index])
  const { value: proof } = verdictOf(DELEGATION_CODES, () => proveDelegation(token, parents))
  if (!proof) return undefined
  const self = { statementId: token.digest, digest: token.digest }
  return {
    ...self,
    no: number,
    delegator: token.issuer,
    delegatee: token.audience,
    notBeforeS: token.notBeforeS,
    expiresAtS: token.expiresAtS,
    issuedAtS: undefined,
    effectiveNotBeforeS: proof.effectiveNotBeforeS,
    effectiveExpiresAtS: proof.effectiveExpiresAtS,
    isTerminal: proof.isTerminal,
    capabilities: token.capabilities,
    closure: closureOf(self, proof.relies),
    parents: proof.parents,
  }
}

const abilityOf = ({ ability }: Step): string => ability.replace('/delete', '/del')

function holdsPath(granted: Step, wanted: Step): boolean {
  const [base, path] = [granted.path, wanted.path]
  if (base === '' || base === path) return true
  // The empty path after the slash is the key of no characters, and no folder.
  if (base === '/') return false
  return path.startsWith(base.endsWith('/') ? base : `${base}/`)
}

const isOpen = ({ notBeforeS, expiresAtS }: Step, nowS: number): boolean =>
  (notBeforeS === null || nowS >= notBeforeS) && (expiresAtS === null || nowS < expiresAtS)

/** Whether a chain of delegations leads from the owner to a person, each of them open now and as wide as what is wanted. */
function mayDo(person: string, wanted: Step, story: Story, accepted: readonly boolean[]): boolean {
  const reached = new Set([OWNER.did])
  // No chain is longer than the number of delegations.
  for (let round = 0; round <= story.steps.length; round++)
    for (const [index, one] of story.steps.entries()) {
      const isLink =
        accepted[index] === true &&
        reached.has(one.from) &&
        isOpen(one, story.nowS) &&
        abilityOf(one) === abilityOf(wanted) &&
        holdsPath(one, wanted)
      if (isLink) reached.add(one.to)
    }
  return reached.has(person)
}

describeValueFuzz<Story>({
  name: 'chain',
  inputs: stories,
  check: (story) => {
    const { steps, invocation, nowS } = story
    const stored: (DelegationFacts | undefined)[] = []
    for (const [index, one] of steps.entries()) stored.push(store(one, index, stored))
    const accepted = stored.map((facts) => facts !== undefined)
    for (const facts of stored) {
      assertTrue((facts?.closure.length ?? 0) <= CHAIN_DELEGATIONS_MAX, 'the closure is limited')
    }

    const proofs = invocation.cites.map((index) => stored[index])
    const { value: proof } = verdictOf(INVOCATION_CODES, () =>
      proveInvocation(tokenOf(invocation, steps.length), proofs, nowS),
    )
    if (!proof) return false
    assertTrue(mayDo(invocation.from, invocation, story, accepted), 'the owner passed it on')
    assertTrue(
      proof.relies.every((facts) => isInForce(facts, nowS)),
      'it relies on nothing that is over',
    )
    return true
  },
})
