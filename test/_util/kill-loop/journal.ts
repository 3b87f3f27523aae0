/** What the load did and what it was told: the expectation against which a restarted node is checked. */
import { type Account, type Holder } from '../client.ts'
import { KeyHistory } from './key-history.ts'

export interface TrackedKey {
  readonly account: Account
  readonly key: string
  readonly history: KeyHistory
}

/** `unknown`: sent, never answered. */
export type Outcome = 'no' | 'unknown' | 'yes'

/** A delegation that the load issued: by the account, or by the holder of another one. */
export interface TrackedShare {
  readonly holder: Holder
  readonly account: Account
  readonly parent: TrackedShare | undefined
  stored: Outcome
  revoked: Outcome
}

export class Journal {
  readonly keys: TrackedKey[] = []
  readonly shares: TrackedShare[] = []
  /** Tokens of acknowledged changes: sent again they must be refused. */
  readonly appliedTokens: string[] = []
  readonly problems: string[] = []
  acknowledgedCount = 0
  #tick = 0

  /** The next tick of the clock that orders sending and answering. */
  tick(): number {
    return ++this.#tick
  }

  track(account: Account, key: string): TrackedKey {
    const tracked = { account, key, history: new KeyHistory() }
    this.keys.push(tracked)
    return tracked
  }
}

/** Whether a share is revoked itself or through an ancestor. */
export function revocationOf(share: TrackedShare): Outcome {
  const inherited = share.parent === undefined ? 'no' : revocationOf(share.parent)
  if (share.revoked === 'yes' || inherited === 'yes') return 'yes'
  return share.revoked === 'unknown' || inherited === 'unknown' ? 'unknown' : 'no'
}
