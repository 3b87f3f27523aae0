/**
 * Which lane a request waits in, read out of its token without trusting or verifying anything (DESIGN §2). A lie costs
 * only its teller: the name decides whose turn it is, never what is allowed.
 */

/** Only this much of a token's payload is searched for a name. */
const SEARCHED_CHARS_MAX = 16 * 1024
/** Longer names are cut: such spaces may share a lane. */
const LANE_NAME_CHARS_MAX = 256

/** A space id as it stands in the JSON of a UCAN. */
const SPACE = /tinycloud:[^"\\/?#\s]+/
/** The account as it stands in the CBOR of a CACAO. */
const ACCOUNT = /did:pkh:([a-z0-9]+:[a-zA-Z0-9-]+:0x[0-9a-fA-F]{40})/

/**
 * The space that the token names first, the account that signed it, or else the client's own address.
 *
 * Shape: addresses differ in case only, so names are in lower case. Names of the three kinds cannot be equal.
 */
export function readLaneName(authorization: string, client: string): string {
  const payloadStart = authorization.indexOf('.') + 1
  const searched = authorization.slice(payloadStart, payloadStart + SEARCHED_CHARS_MAX)
  const text = Buffer.from(searched, 'base64url').toString('latin1')
  const found = payloadStart > 0 ? SPACE.exec(text) : ACCOUNT.exec(text)
  return found ? spaceLane(found[0]) : clientLane(client)
}

/** The lane of a space, however its id is spelled. */
export const spaceLane = (space: string): string =>
  space.slice(0, LANE_NAME_CHARS_MAX).toLowerCase()

export const clientLane = (client: string): string => `client ${client}`
