/**
 * Every setting of the node: key, type, default, unit and one sentence. Everything else about configuration is computed
 * from this table: names of variables, `tinycloud help`, and the checks of tinycloud.toml and docs/configuration.md.
 *
 * Keys that users of the existing node know keep their names and meaning (reference-behaviour §5.2–§5.3).
 */
import { type Format, type FormatValues } from './formats.ts'

export interface Setting {
  readonly format: Format
  /** null: nothing unless written; `derived` then says what the node does. */
  readonly default: string | number | boolean | null
  /** The default in words, where it depends on other settings or on the machine. */
  readonly derived?: string
  /** What tinycloud.toml shows for a setting without a default of its own. */
  readonly sample?: string | number | boolean
  readonly unit?: string
  readonly choices?: readonly string[]
  /** Values that users were promised and that this version does not have. */
  readonly laterChoices?: readonly string[]
  readonly min?: number
  readonly max?: number
  /** Its value is never printed. */
  readonly isSecret?: true
  /** One sentence. */
  readonly doc: string
}

export const SETTINGS = {
  address: {
    format: 'text',
    default: '127.0.0.1',
    doc: 'Address on which the node and its metrics listen; 0.0.0.0 means all of IPv4.',
  },
  port: {
    format: 'number',
    default: 8000,
    min: 0,
    max: 65_535,
    doc: 'Port on which the node listens; 0 lets the system choose one.',
  },
  cors: {
    format: 'switch',
    default: true,
    doc: 'Whether web apps from other origins may use the node; public spaces are open to them in any case.',
  },
  'http.trusted_proxies': {
    format: 'text',
    default: 'none',
    doc: 'Addresses and networks of reverse proxies whose X-Forwarded-For or X-Real-IP says who the client is, separated by commas; none believes nobody.',
  },
  log_level: {
    format: 'choice',
    default: 'normal',
    choices: ['normal', 'debug'],
    doc: 'How much is logged; debug adds a line for each request.',
  },
  'log.format': {
    format: 'choice',
    default: 'Text',
    choices: ['Text', 'Json'],
    doc: 'Whether log lines are written for people or for programs.',
  },
  'storage.datadir': {
    format: 'text',
    default: null,
    derived: 'the directory of the SQLite file, if one is named',
    sample: './data',
    doc: 'Directory in which database, blocks and secret lie unless they are named themselves.',
  },
  'storage.database': {
    format: 'text',
    default: null,
    derived: 'sqlite:<datadir>/caps.db, without a data directory sqlite::memory:',
    sample: 'sqlite:./data/caps.db',
    isSecret: true,
    doc: 'Database of the node: sqlite:PATH, or sqlite::memory: to keep nothing.',
  },
  'storage.blocks.type': {
    format: 'choice',
    default: 'Local',
    choices: ['Local'],
    laterChoices: ['S3'],
    doc: 'Where values are kept; Local is a directory.',
  },
  'storage.blocks.path': {
    format: 'text',
    default: null,
    derived: '<datadir>/blocks',
    sample: './data/blocks',
    doc: 'Directory of the values.',
  },
  'storage.limit': {
    format: 'size',
    default: 0,
    doc: 'Bytes of values that one space may hold, such as 10 MiB; 0 means no limit.',
  },
  'storage.history_limit': {
    format: 'size',
    default: 0,
    doc: 'Bytes of history that the changes of one space may leave behind, kept versions included; 0 means no limit.',
  },
  'storage.history': {
    format: 'history',
    default: 'none',
    doc: 'How long replaced and deleted values stay readable: none, a number of versions of each key, or a time such as 30 days.',
  },
  'storage.reserve': {
    format: 'size',
    default: '256 MiB',
    doc: 'What stays free on the disk, at most a tenth of it: with less, puts are refused, with less than half of it delegations too; 0 means nothing.',
  },
  'storage.staging': {
    format: 'choice',
    default: 'Memory',
    choices: ['Memory', 'FileSystem'],
    doc: 'Where an upload waits until it is complete: in memory up to 256 KiB, with FileSystem up to 64 KiB, and in a file beyond.',
  },
  'storage.scrub_mib_per_s': {
    format: 'number',
    default: 4,
    min: 0,
    max: 1024,
    unit: 'MiB per second',
    doc: 'How fast a running node reads all that is stored, again and again, to find damage early; 0 switches this off.',
  },
  'keys.type': {
    format: 'choice',
    default: 'Static',
    choices: ['Static', 'Auto'],
    doc: 'Where the secret of the node comes from; both mean keys.secret, else the file in the data directory.',
  },
  'keys.secret': {
    format: 'text',
    default: null,
    derived: 'the file <datadir>/secret, generated at the first start',
    sample: '<32 random bytes in base64url>',
    isSecret: true,
    doc: 'Secret of the node: base64url without padding, at least 32 bytes.',
  },
  'invocation.max_lifetime_secs': {
    format: 'number',
    default: 300,
    min: 1,
    max: 86_400,
    unit: 'seconds',
    doc: 'Longest time that an invocation may stay valid from now on.',
  },
  'invocation.clock_skew_secs': {
    format: 'number',
    default: 0,
    min: 0,
    max: 300,
    unit: 'seconds',
    doc: 'How far the clocks of clients may be off before a token counts as expired or early.',
  },
  'kv.implicit_text': {
    format: 'choice',
    default: 'drop',
    choices: ['drop', 'keep'],
    doc: 'Whether the text/plain that fetch adds by itself is stored with JSON objects and arrays; official clients read them as objects only if it is dropped.',
  },
  'public_spaces.rate_limit_per_minute': {
    format: 'number',
    default: 60,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    doc: 'Reads of public spaces that one client may make per minute.',
  },
  'public_spaces.rate_limit_burst': {
    format: 'number',
    default: 10,
    min: 0,
    max: 1_000_000,
    unit: 'requests',
    doc: 'Reads of public spaces that one client may make at once, beyond those of a second.',
  },
  'public_spaces.storage_limit': {
    format: 'size',
    default: '10 MiB',
    doc: 'The same as storage.limit for a public space; 0 means no limit.',
  },
  'spaces.allowlist': {
    format: 'text',
    default: 'none',
    doc: 'URL of a server that knows which spaces may be hosted here, and without whose yes a space is not; none hosts every space.',
  },
  'did.web': {
    format: 'switch',
    default: false,
    doc: 'Whether issuers may be did:web, whose keys the node then fetches over HTTPS from the host in the DID.',
  },
  'ethereum.rpc_urls': {
    format: 'text',
    default: 'none',
    isSecret: true,
    doc: 'Chains whose contract wallets may sign, each with the URL of a JSON-RPC server that is asked about them, separated by commas; none takes signatures of keys only.',
  },
  'compute.workers': {
    format: 'number',
    default: null,
    derived: 'one less than the processor cores, at least 1',
    sample: 1,
    min: 1,
    max: 256,
    unit: 'threads',
    doc: 'Threads that verify tokens and answer reads.',
  },
  'telemetry.enabled': {
    format: 'switch',
    default: null,
    derived: 'true if prometheus.port is written, else false',
    sample: false,
    doc: 'Whether metrics are served.',
  },
  'prometheus.port': {
    format: 'number',
    default: null,
    derived: '8001, if telemetry.enabled is true',
    sample: 8001,
    min: 0,
    max: 65_535,
    doc: 'Port of the metrics, on the same address; must not be the port of the node.',
  },
} as const

export type SettingKey = keyof typeof SETTINGS

type ValueOf<S extends Setting> =
  | FormatValues[S['format']]
  | (S['default'] extends null ? null : never)

/** The checked value of every setting. */
export type Settings = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> }

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(SETTINGS, key)

export const SETTING_KEYS: readonly SettingKey[] = Object.keys(SETTINGS).filter(isSettingKey)

/** The entry with the type that code without a particular key needs; it also checks that every entry is a Setting. */
export const settingOf = (key: SettingKey): Setting => SETTINGS[key]
