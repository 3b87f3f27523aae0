/** The vectors that this project publishes: the files are what their sources say, and the node does what they say. */
import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { coversAbility } from '../../src/protocol/ability.ts'
import { parseBase64url } from '../../src/protocol/base64url.ts'
import { parseHex, toHex } from '../../src/protocol/bytes.ts'
import { containsCaveats, parseUcanCaveats } from '../../src/protocol/caveats.ts'
import { DAG_CBOR_CODEC, formatCid, formatRawCid, parseCid } from '../../src/protocol/cid.ts'
import { blake3 } from '../../src/protocol/crypto/blake3.ts'
import { normalizePrincipal } from '../../src/protocol/did.ts'
import { formatEpoch, formatOperation } from '../../src/protocol/history.ts'
import { hostDid, nodeDid } from '../../src/protocol/host-key.ts'
import { formatJcs, parseStrictJson } from '../../src/protocol/json.ts'
import { TOKEN_DEPTH_MAX } from '../../src/protocol/limits.ts'
import { formatRecapStatement, parseRecapUri } from '../../src/protocol/recap.ts'
import { coversResource, parseResource } from '../../src/protocol/resource.ts'
import { parseRfc3339 } from '../../src/protocol/rfc3339.ts'
import { parseToken, statementId, verifyToken } from '../../src/protocol/token.ts'
import { openComputeAndStorage } from '../_util/compute-and-storage.ts'
import { codeOf, refusalOf } from '../_util/credentials.ts'
import { type CHAINS } from '../_util/own-vectors/chains.ts'
import { type BASE64URL } from '../_util/own-vectors/encodings.ts'
import { type ABILITIES, type CAVEATS, type CONTAINMENT } from '../_util/own-vectors/names.ts'
import { type HISTORY, type HOST_KEYS } from '../_util/own-vectors/node.ts'
import { formatSuite, OWN_SUITES } from '../_util/own-vectors/suites.ts'
import { type VectorSuite } from '../_util/own-vectors/vector-suite.ts'
import { useTemporaryDirectory } from '../_util/temporary-directory.ts'

type InputOf<S> = S extends VectorSuite<infer I> ? I : never
type Read = (input: never) => unknown

const FOLDER = new URL('./own/', import.meta.url)
const RULES = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')

const textOf = (suite: string): string => readFileSync(new URL(`${suite}.json`, FOLDER), 'utf8')

function readResource(text: string): unknown {
  const resource = parseResource(text)
  if (resource.kind === 'other') return resource
  const { kind, text: canonical, owner, name, service, path = null } = resource
  return { kind, text: canonical, owner, name, service, path }
}

function readToken(text: string): unknown {
  const token = parseToken(text)
  return {
    cid: formatRawCid(token.digest),
    statementId: toHex(statementId(token)),
    issuer: token.issuer,
    audience: token.audience,
    notBeforeS: token.notBeforeS ?? null,
    expiresAtS: token.expiresAtS ?? null,
    capabilities: token.capabilities.map(({ resource, ability, caveats }) => [
      resource.text,
      ability,
      caveats,
    ]),
    proofs: token.proofs.map(formatRawCid),
    signature: codeOf(() => verifyToken(token)) ?? 'valid',
  }
}

function readSpellings(texts: readonly string[]): unknown {
  const tokens = texts.map((text) => parseToken(text))
  for (const token of tokens) verifyToken(token)
  const [id, ...others] = new Set(tokens.map((token) => toHex(statementId(token))))
  return {
    statementId: others.length === 0 ? id : others,
    cids: tokens.map(({ digest }) => formatRawCid(digest)),
  }
}

function readBlock(input: InputOf<typeof HISTORY>): unknown {
  const block =
    'events' in input
      ? formatEpoch({
          events: input.events.map(({ tokenHex, operationsHex }) => ({
            digest: parseHex(tokenHex),
            operations: operationsHex.map(parseHex),
          })),
          parents: input.parentsHex.map(parseHex),
        })
      : formatOperation('version' in input ? input : { ...input, value: parseHex(input.valueHex) })
  return { blockHex: toHex(block), cid: formatCid(DAG_CBOR_CODEC, blake3(block), 'base32') }
}

/** Of an input what the node says of it, in the form of the files. */
const READERS: Readonly<Record<string, Read>> = {
  base64url: ({ text, padding }: InputOf<typeof BASE64URL>) => ({
    hex: toHex(parseBase64url(text, { padding })),
  }),
  json: (text: string) => ({
    canonical: formatJcs(parseStrictJson(text, { depthMax: TOKEN_DEPTH_MAX })),
  }),
  times: (text: string) => ({ unixS: parseRfc3339(text) }),
  cids: (text: string) => {
    const { codec, hashCode, digest } = parseCid(text)
    return { codec, hashCode, digestHex: toHex(digest) }
  },
  dids: (text: string) => ({ principal: normalizePrincipal(text) }),
  resources: readResource,
  containment: ({ base, child }: InputOf<typeof CONTAINMENT>) => ({
    covers: coversResource(parseResource(base), parseResource(child)),
  }),
  abilities: ({ granted, requested }: InputOf<typeof ABILITIES>) => ({
    covers: coversAbility(granted, requested),
  }),
  caveats: ({ parent, child, use }: InputOf<typeof CAVEATS>) => ({
    contains: containsCaveats(parseUcanCaveats(parent), parseUcanCaveats(child), use),
  }),
  recaps: (uri: string) => {
    const { abilities, proofs } = parseRecapUri(uri)
    const sorted = Object.entries(abilities).map(([name, names]) => [name, names.toSorted()])
    return {
      abilities: Object.fromEntries(sorted),
      proofs,
      sentence: formatRecapStatement(abilities),
    }
  },
  ucans: readToken,
  cacaos: readToken,
  spellings: readSpellings,
  'host-keys': ({ secretHex, space }: InputOf<typeof HOST_KEYS>) => {
    const secret = parseHex(secretHex)
    return { did: space === null ? nodeDid(secret) : hostDid(secret, space) }
  },
  history: readBlock,
}

/** Cases that came out as expected, by suite. */
const passed = new Map<string, number>()
const count = (suite: string): void => {
  passed.set(suite, (passed.get(suite) ?? 0) + 1)
}

afterAll(() => {
  const lines = OWN_SUITES.map(
    ({ suite, cases }) =>
      `vectors own/${suite}: ${cases.length} cases, ${passed.get(suite) ?? 0} passed, 0 deviations`,
  )
  console.log(lines.join('\n'))
})

describe.each(OWN_SUITES)('own vectors: $suite', (source) => {
  it('is the file that its source writes', () => {
    expect(textOf(source.suite)).toBe(formatSuite(source))
  })

  it('names rules that exist, and each case once', () => {
    const names = source.cases.map(({ rule, name }) => `${rule}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { rule } of source.cases) expect(RULES).toContain(`| ${rule} |`)
  })
})

const FILES: readonly VectorSuite[] = OWN_SUITES.map(({ suite }) => JSON.parse(textOf(suite)))

describe.each(FILES.filter(({ suite }) => suite !== 'chains'))('own vectors: $suite', (file) => {
  it.each(file.cases)('$rule: $name', ({ input, expect: expected }) => {
    const read: ((input: unknown) => unknown) | undefined = Object.assign(READERS)[file.suite]
    let said: unknown
    const refusal = refusalOf(() => {
      said = read?.(input)
    })
    expect(refusal ? { refused: refusal.code } : said).toEqual(expected)
    count(file.suite)
  })
})

describe('own vectors: chains', () => {
  const directoryOf = useTemporaryDirectory()
  const file: typeof CHAINS = JSON.parse(textOf('chains'))

  it.each(file.cases)('$rule: $name', async ({ input, expect: expected }) => {
    const node = await openComputeAndStorage(directoryOf(), input[0]?.atS ?? 0)
    const answers: unknown[] = []
    for (const { atS, route, authorization } of input) {
      node.nowS = atS
      const [answer] = await node.send([{ route, authorization }])
      answers.push(answer?.status === 200 ? { status: 200 } : answer)
    }
    await node.close()
    expect(answers).toMatchObject(expected)
    expect(answers).toHaveLength(expected.length)
    count(file.suite)
  })
})
