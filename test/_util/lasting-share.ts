/** Shares that all end at one moment, so that a share of a share outlives nothing, however the seconds fall. */
import { type GrantOptions, type Holder, issueShare, nowS } from './client.ts'

/** In an hour, on a whole second. */
const END_S = Math.floor(nowS()) + 3600

/** Passes rights on to a new key; not sent. A given lifetime counts instead. */
export const issueLastingShare = (from: Holder, options: GrantOptions = {}): Holder =>
  issueShare(from, { lifetimeS: END_S - nowS() + 0.5, ...options })
