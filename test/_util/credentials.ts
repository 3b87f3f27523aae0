/** Fixed identities, and stored delegations as the chain rules see them. */
import {
  type ChainLink,
  type DelegationFacts,
  type SignedToken,
} from '../../src/protocol/authority.ts'
import { createSessionKey } from '../../src/protocol/client/session-key.ts'
import { createWallet } from '../../src/protocol/client/wallet.ts'
import { ProtocolError } from '../../src/protocol/error.ts'
import { statementId } from '../../src/protocol/token.ts'

export const OWNER = createWallet(Buffer.alloc(32, 0x11))
export const STRANGER = createWallet(Buffer.alloc(32, 0x12))
export const SESSION = createSessionKey(Buffer.alloc(32, 0x22))
export const GUEST = createSessionKey(Buffer.alloc(32, 0x33))
export const SPACE = OWNER.spaceId('default')

/** A time at which all default windows are open. Unix seconds. */
export const NOW_S = 1_800_000_000

export const SIGNING = { domain: 'app.example', nonce: 'nonce0000', issuedAtS: NOW_S } as const

let lastNo = 0

/** What is known of a token once it is stored below `relies`. */
export function factsOf(
  token: SignedToken,
  relies: readonly DelegationFacts[] = [],
  change: Partial<DelegationFacts> = {},
): DelegationFacts {
  const self: ChainLink = { statementId: statementId(token), digest: token.digest }
  return {
    ...self,
    no: ++lastNo,
    delegator: token.issuer,
    delegatee: token.audience,
    notBeforeS: token.notBeforeS,
    expiresAtS: token.expiresAtS,
    issuedAtS: token.issuedAtS,
    effectiveNotBeforeS: token.notBeforeS,
    effectiveExpiresAtS: token.expiresAtS,
    isTerminal: false,
    capabilities: token.capabilities,
    closure: [self, ...relies.flatMap(({ closure }) => closure)],
    parents: relies.map(({ digest }) => digest),
    ...change,
  }
}

/** Code and detail of the refusal; undefined when there is none. Another kind of error passes through. */
export function refusalOf(run: () => unknown): { code: string; detail: string } | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code, detail: error.detail }
    throw error
  }
}

export const codeOf = (run: () => unknown): string | undefined => refusalOf(run)?.code
