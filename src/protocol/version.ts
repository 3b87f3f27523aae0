/**
 * The protocol version that this node speaks, as shown by `/version`. Clients refuse a node of any other number.
 *
 * 1: spaces, delegations, kv. Everything since has been added without a new number.
 */
export const PROTOCOL_VERSION = 1
