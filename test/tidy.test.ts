/**
 * What a linter does not see: who imports whom, sizes, banned words, and whether documents, sources and tests still
 * say the same. Settings against their documents: test/main/config/documents.test.ts.
 */
import { describe, expect, it } from 'vitest'
import { ROUTES } from '../src/main/http/route-table.ts'
import { WIRE_ERRORS } from '../src/protocol/error.ts'
import {
  type Import,
  importsOf,
  isProjectFile,
  readProjectFile,
  readTables,
  readTree,
  type SourceFile,
} from './_util/source-tree.ts'

const SOURCE_LINES_MAX = 400
const TEST_LINES_MAX = 600
/** Reached by the operating system or as a worker, not by an import. */
const ENTRY = /(^src\/main\/index|\.worker)\.ts$/
const THIS_FILE = 'test/tidy.test.ts'

const sources = readTree('src', ['.ts'])
const tests = readTree('test', ['.ts']).filter(({ path }) => path !== THIS_FILE)
const benches = readTree('bench', ['.ts'])
const texts = [
  ...sources,
  ...tests,
  ...benches,
  ...readTree('docs', ['.md']),
  ...readTree('deploy', ['']),
  ...readTree('scripts', ['']),
  ...[
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'tinycloud.toml',
    'package.json',
  ]
    .filter(isProjectFile)
    .map((path): SourceFile => ({ path, text: readProjectFile(path) })),
]

interface ImportRule {
  readonly name: string
  /** Whom the rule is for. */
  readonly from: RegExp
  /** What it forbids there. */
  readonly forbids: RegExp
  readonly except?: RegExp
}

const PROTOCOL_PACKAGES =
  /^(@noble\/|hash-wasm$|multiformats\/|@ipld\/|node:(buffer|crypto|module|zlib)$)/
const DRIVERS = /^(better-sqlite3|pg|mysql2|@aws-sdk\/|piscina|node:worker_threads)/

/** The boundaries of ARCHITECTURE.md. Targets are paths from the root or names of packages. */
const IMPORT_RULES: readonly ImportRule[] = [
  {
    name: 'protocol is pure: its own files, encodings and primitives',
    from: /^src\/protocol\//,
    forbids: /./,
    except: new RegExp(`^src/protocol/|${PROTOCOL_PACKAGES.source}`),
  },
  {
    name: 'compute reads: contracts, readers and staging, nothing that writes',
    from: /^src\/workers\/compute\//,
    forbids: /^src\/(main|workers)\//,
    except:
      /^src\/workers\/(compute\/|[^/]+\.ts$|storage\/(request|command-codec)\.ts|database\/(facts|reader)\.ts|blocks\/(place|reader|staging)\.ts)/,
  },
  {
    name: 'storage knows neither main nor compute',
    from: /^src\/workers\/storage\//,
    forbids: /^(src\/(main|workers\/compute)\/|fastify)/,
  },
  {
    name: 'maintenance reads beside a node: it knows neither main nor compute, and of storage what is fixed',
    from: /^src\/workers\/maintenance\//,
    forbids: /^(src\/(main|workers\/(compute|storage))\/|fastify)/,
    except: /^src\/workers\/storage\/(request|mailbox)\.ts$/,
  },
  {
    name: 'database and blocks know the contract of storage only',
    from: /^src\/workers\/(database|blocks)\//,
    forbids: /^src\/(main|workers\/(compute|storage))\//,
    except: /^src\/workers\/storage\/request\.ts$/,
  },
  {
    name: 'main reaches workers through their contracts',
    from: /^src\/main\//,
    forbids: /^src\/workers\//,
    except: /^src\/workers\/(worker-urls\.ts|[a-z]+\/request\.ts)$/,
  },
  {
    name: 'a route knows no driver and no other route',
    from: /^src\/main\/http\/routes\//,
    forbids: new RegExp(`^src/main/http/routes/|${DRIVERS.source}`),
  },
  { name: 'sources never import tests or bench', from: /^src\//, forbids: /^(test|bench)\// },
  {
    name: 'acceptance tests speak HTTP',
    from: /^test\/acceptance\//,
    forbids: /^src\//,
  },
  { name: 'no barrels', from: /./, forbids: /^(?!src\/main\/index\.ts).*\/index\.ts$/ },
]

const describeImport = ({ from, specifier }: Import): string => `${from} imports ${specifier}`

const broken = (rule: ImportRule, imports: readonly Import[]): string[] =>
  imports
    .filter(
      ({ from, target }) =>
        rule.from.test(from) && rule.forbids.test(target) && !(rule.except?.test(target) ?? false),
    )
    .map(describeImport)

const allImports = [...sources, ...tests, ...benches].flatMap(importsOf)

describe('imports', () => {
  it.each(IMPORT_RULES.map((rule) => [rule.name, rule] as const))('%s', (_name, rule) => {
    expect(broken(rule, allImports)).toEqual([])
  })

  it('can be seen to break a rule', () => {
    const [rule] = IMPORT_RULES
    const file = { path: 'src/protocol/x.ts', text: "import fs from 'node:fs'" }
    expect(rule && broken(rule, importsOf(file))).toEqual(['src/protocol/x.ts imports node:fs'])
  })

  it('of sources are never four folders away', () => {
    const far = sources
      .flatMap(importsOf)
      .filter(({ specifier }) => specifier.startsWith('../../../../'))
    expect(far.map(describeImport)).toEqual([])
  })

  it('reach every source file', () => {
    const reached = new Set(allImports.map(({ target }) => target))
    const dead = sources.filter(({ path }) => !ENTRY.test(path) && !reached.has(path))
    expect(dead.map(({ path }) => path)).toEqual([])
  })
})

const countLines = (text: string): number => text.split('\n').length - 1

const limitOf = ({ path }: SourceFile): number =>
  path.startsWith('src/') ? SOURCE_LINES_MAX : TEST_LINES_MAX

describe('files', () => {
  it('stay small', () => {
    const long = [...sources, ...tests, ...benches].filter(
      (file) => countLines(file.text) > limitOf(file),
    )
    expect(long.map(({ path, text }) => `${path}: ${countLines(text)} lines`)).toEqual([])
  })

  it('are named in kebab-case and for what they hold', () => {
    const odd = [...sources, ...tests, ...benches].filter(({ path }) => {
      const name = path.slice(path.lastIndexOf('/') + 1)
      const isBarrel = name === 'index.ts' && path !== 'src/main/index.ts'
      return (
        isBarrel ||
        !/^_?[a-z0-9][a-z0-9.-]*\.ts$/.test(name) ||
        /^(utils?|helpers?|common)\b/.test(name)
      )
    })
    expect(odd.map(({ path }) => path)).toEqual([])
  })
})

interface Ban {
  readonly name: string
  readonly in: readonly SourceFile[]
  readonly words: RegExp
}

const BANS: readonly Ban[] = [
  { name: 'work left to do', in: texts, words: /\b(TODO|FIXME|XXX)\b/ },
  { name: 'writing to the console', in: sources, words: /\bconsole\.\w+\(/ },
  {
    name: 'ways around the compiler',
    in: [...sources, ...tests, ...benches],
    words: /@ts-(ignore|expect-error|nocheck)|^(?!\s*(\*|\/[*/])).*(\bas any\b|: any\b|<any>)/,
  },
  {
    name: 'tests that do not run',
    in: tests,
    words: /\b(it|test|describe)\.(only|skip|todo)\(/,
  },
  {
    name: 'a clock or chance inside protocol',
    in: inProtocol(),
    words: /\bDate\.now\b|\bMath\.random\b/,
  },
  {
    name: 'the environment inside protocol',
    in: inProtocol(),
    words: /\bprocess\.(env|argv|exit|cwd)\b/,
  },
  { name: 'paths of one machine', in: texts, words: /(^|[\s'"`(])\/(work|root|home\/\w+)\//m },
]

function inProtocol(): SourceFile[] {
  return sources.filter(({ path }) => path.startsWith('src/protocol/'))
}

describe('banned', () => {
  it.each(BANS.map((ban) => [ban.name, ban] as const))('%s', (_name, ban) => {
    const found = ban.in.flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          ban.words.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
        ),
    )
    expect(found).toEqual([])
  })
})

describe('docs/protocol.md', () => {
  const document = readProjectFile('docs/protocol.md')
  const rules = readTables(document, 'id').map(([id = '', , refusals = '', , test = '']) => ({
    id,
    refusals: refusals === '' ? [] : refusals.split(/,\s*/),
    test,
  }))
  const ids = new Set(rules.map(({ id }) => id))
  const families = [...new Set([...ids].map((id) => id.replace(/-\d+$/, '')))]
  const citation = new RegExp(String.raw`\b(?:${families.join('|')})-\d+\b`, 'g')
  const citationsOf = ({ text }: SourceFile): string[] => [...text.matchAll(citation)].map(String)

  it('has rules, each with an id of its own', () => {
    expect(rules.length).toBeGreaterThan(50)
    expect(rules.map(({ id }) => id)).toEqual([...ids])
  })

  it('has every rule cited by a source', () => {
    const cited = new Set(sources.flatMap(citationsOf))
    expect([...ids].filter((id) => !cited.has(id))).toEqual([])
  })

  it('names for every rule a test that cites it', () => {
    const missing = rules.filter(({ id, test }) => {
      const file = tests.find(({ path }) => path === test)
      return file === undefined || !citationsOf(file).includes(id)
    })
    expect(missing.map(({ id, test }) => `${id}: ${test}`)).toEqual([])
  })

  it('has every rule that is cited', () => {
    const unknown = [...sources, ...tests, ...benches].flatMap((file) =>
      citationsOf(file)
        .filter((id) => !ids.has(id))
        .map((id) => `${file.path}: ${id}`),
    )
    expect(unknown).toEqual([])
  })

  it('lists the catalogue of refusals: codes, statuses and texts', () => {
    const listed = readTables(document, 'code').map((cells) => cells.slice(0, 3))
    const catalogue = Object.entries(WIRE_ERRORS).map(([code, error]) => [
      code,
      String(error.status),
      'catcher' in error ? '*page*' : error.text.replace('{}', '‹detail›'),
    ])
    expect(listed).toEqual(catalogue)
  })

  it('refuses with codes of the catalogue', () => {
    const unknown = rules.flatMap(({ id, refusals }) =>
      refusals.filter((code) => !Object.hasOwn(WIRE_ERRORS, code)).map((code) => `${id}: ${code}`),
    )
    expect(unknown).toEqual([])
  })

  it('lists every route, and no other', () => {
    const listed = readTables(document, 'route').flatMap(([cell = '']) =>
      [...cell.matchAll(/`([A-Z]+ [^`]+)`/g)].map(([, route = '']) => route),
    )
    const registered = ROUTES.map(({ method, path }) => `${method} ${path}`)
    expect(new Set(registered)).toEqual(new Set(listed))
  })
})
