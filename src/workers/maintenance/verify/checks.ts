/** What is compared with what. The names are stable: reports, metrics and tests go by them. */
export const CHECKS = {
  structure: 'pages and indexes of the database, as its engine sees them',
  row: 'checksums of rows',
  run: 'runs of the program: ended in order, marks not below what they wrote',
  statement: 'statements: their kind, their place, the rows that belong to them',
  record: 'blocks of tokens and operations: CID, hash, length',
  token: 'tokens: what they say is what their rows say',
  signature: 'signatures of tokens',
  replay: 'invocations that could be repeated: they are remembered',
  event: 'events: in their epoch, their place and their order',
  epoch: 'epochs: hash, canonical form, events, parents',
  version: 'versions: one operation of their token each, in an unbroken chain',
  value: 'live and kept values: CID, hash, length',
  key: 'keys: the newest version counts',
  kept: 'kept versions: each was replaced, by the version that says so',
  delegation: 'delegations: parents, rights, closure, names',
  revocation: 'revocations: their token names their target',
  space: 'spaces: heads and counters, counted again',
  pack: 'packs: file, length, sections, index, live bytes',
  object: 'large values: none without a version',
} as const

export type CheckName = keyof typeof CHECKS

export const CHECK_NAMES: readonly CheckName[] = Object.keys(CHECKS).filter(
  (name): name is CheckName => Object.hasOwn(CHECKS, name),
)
