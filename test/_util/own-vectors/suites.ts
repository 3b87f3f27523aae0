/** Every suite, and the text of its file. */
import { CHAINS } from './chains.ts'
import { BASE64URL, CIDS, JSON_TEXTS, TIMES } from './encodings.ts'
import { ABILITIES, CAVEATS, CONTAINMENT, DIDS, RESOURCES } from './names.ts'
import { HISTORY, HOST_KEYS } from './node.ts'
import { UCANS } from './ucans.ts'
import { type VectorSuite } from './vector-suite.ts'
import { CACAOS, RECAPS, SPELLINGS } from './wallet-messages.ts'

export const OWN_SUITES: readonly VectorSuite[] = [
  BASE64URL,
  JSON_TEXTS,
  TIMES,
  CIDS,
  DIDS,
  RESOURCES,
  CONTAINMENT,
  ABILITIES,
  CAVEATS,
  RECAPS,
  UCANS,
  CACAOS,
  SPELLINGS,
  CHAINS,
  HOST_KEYS,
  HISTORY,
]

/** JSON with a line break at the end. */
export const formatSuite = (suite: VectorSuite): string => `${JSON.stringify(suite, null, 2)}\n`
