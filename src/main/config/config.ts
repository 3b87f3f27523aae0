/**
 * From everything that was written to the one configuration that the node runs with.
 *
 * `parseConfig` decides and creates nothing, so that a configuration that is refused leaves no trace; `openConfig` then
 * makes the directories and the secret, durably.
 */
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'

import { createDirectory, createTemporaryDirectory } from './directories.ts'
import { parseKeepRule } from './keep-rule.ts'
import { type NodeConfig, type NodeSecrets } from './node-config.ts'
import { parseAllowlistUrl, parseRpcUrls } from './hosts.ts'
import { parseTrustedProxies } from './proxies.ts'
import { type Settings } from './schema.ts'
import { openSecretFile, parseSecret } from './secrets.ts'
import { type ConfigSource, configurationFault, readSettings } from './settings.ts'
import { planStorage, type StoragePlan } from './storage-plan.ts'

/** Everything that does not depend on where data lies. */
export type GeneralConfig = Omit<NodeConfig, 'database' | 'blocks' | 'temporaryDirectory'>

export interface ParsedConfig {
  readonly general: GeneralConfig
  readonly storage: StoragePlan
  /** As written in `keys.secret`. */
  readonly secret: Uint8Array | undefined
  readonly rpcUrls: NodeSecrets['rpcUrls']
  /** The file that was read. */
  readonly file: string | undefined
  /** Sentences for the log. */
  readonly warnings: readonly string[]
}

export interface OpenedConfig {
  readonly config: NodeConfig
  readonly secrets: NodeSecrets
  readonly file: string | undefined
  readonly warnings: readonly string[]
  /** Where a secret was generated just now. */
  readonly newSecretPath: string | undefined
}

const MIB: number = 1024 * 1024

/** Port of the metrics when they are on and no port is written. */
const METRICS_PORT_DEFAULT = 8001
const SECRET_FILE_NAME = 'secret'
const TEMPORARY_SECRET_BYTES = 32

/** @throws {StartFault} */
export function parseConfig(source: ConfigSource): ParsedConfig {
  const { settings, file, meaningless } = readSettings(source)
  try {
    const general = createGeneralConfig(settings)
    const storage = planStorage(settings, source.workingDirectory)
    const written = settings['keys.secret']
    return {
      general,
      storage,
      secret: written === null ? undefined : parseSecret(written, 'keys.secret'),
      rpcUrls: parseRpcUrls(settings['ethereum.rpc_urls']),
      file,
      warnings: meaningless.length === 0 ? [] : [describeMeaningless(meaningless)],
    }
  } catch (error) {
    if (error instanceof RangeError) throw configurationFault([error.message], file)
    throw error
  }
}

/**
 * Ownership: the caller removes `config.temporaryDirectory` at exit.
 * @throws {StartFault}
 */
export function openConfig({
  general,
  storage,
  secret,
  rpcUrls,
  file,
  warnings,
}: ParsedConfig): OpenedConfig {
  const places = storage.kind === 'temporary' ? createTemporaryPlaces() : storage
  const temporaryDirectory = storage.kind === 'temporary' ? places.dataDirectory : undefined
  createDirectory(places.dataDirectory)
  createDirectory(dirname(places.databasePath))
  createDirectory(places.blocksPath)

  const opened = openSecret(secret, places.dataDirectory, temporaryDirectory !== undefined)
  const config: NodeConfig = Object.freeze({
    ...general,
    database: Object.freeze({ type: 'sqlite', path: places.databasePath }),
    blocks: Object.freeze({ type: 'local', path: places.blocksPath }),
    temporaryDirectory,
  })
  return {
    config,
    secrets: { nodeSecret: opened.secret, rpcUrls },
    file,
    warnings: [
      ...warnings,
      ...(temporaryDirectory === undefined ? [] : [NOTHING_KEPT]),
      ...(opened.warning === undefined ? [] : [opened.warning]),
    ],
    newSecretPath: opened.newSecretPath,
  }
}

const NOTHING_KEPT =
  'Nothing will be kept: the database is sqlite::memory:. Set storage.datadir (TINYCLOUD_STORAGE_DATADIR=./data) to keep data.'

/** @throws {RangeError} with the sentence for the person who wrote it */
function createGeneralConfig(settings: Settings): GeneralConfig {
  const metricsPort = metricsPortOf(settings)
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === settings.port)
    throw new RangeError(
      `prometheus.port: the metrics cannot listen on ${metricsPort}, which is the port of the node. Choose another one.`,
    )
  return {
    address: settings.address,
    port: settings.port,
    cors: settings.cors,
    trustedProxies: Object.freeze(parseTrustedProxies(settings['http.trusted_proxies'])),
    log: Object.freeze({
      level: settings.log_level === 'debug' ? 'debug' : 'normal',
      format: settings['log.format'] === 'json' ? 'json' : 'text',
    }),
    staging: settings['storage.staging'] === 'filesystem' ? 'file' : 'memory',
    scrubBytesPerS: settings['storage.scrub_mib_per_s'] * MIB,
    spaceLimits: Object.freeze({
      liveBytes: limitOf(settings['storage.limit']),
      publicLiveBytes: limitOf(settings['public_spaces.storage_limit']),
      historyBytes: limitOf(settings['storage.history_limit']),
    }),
    keepRule: Object.freeze(parseKeepRule(settings['storage.history'])),
    reserveBytes: settings['storage.reserve'],
    invocation: Object.freeze({
      lifetimeMaxS: settings['invocation.max_lifetime_secs'],
      clockSkewS: settings['invocation.clock_skew_secs'],
    }),
    kv: Object.freeze({ implicitText: settings['kv.implicit_text'] === 'keep' ? 'keep' : 'drop' }),
    publicSpaces: Object.freeze({
      perMinute: settings['public_spaces.rate_limit_per_minute'],
      burst: settings['public_spaces.rate_limit_burst'],
    }),
    allowlistUrl: parseAllowlistUrl(settings['spaces.allowlist']),
    didWeb: settings['did.web'],
    computeWorkers: settings['compute.workers'] ?? Math.max(1, availableParallelism() - 1),
    metricsPort,
  }
}

/** 0 is written for no limit. */
const limitOf = (bytes: number): number => (bytes === 0 ? Infinity : bytes)

/** A written port switches metrics on; a written `telemetry.enabled = false` switches them off in any case. */
function metricsPortOf(settings: Settings): number | undefined {
  const port = settings['prometheus.port']
  const isEnabled = settings['telemetry.enabled'] ?? port !== null
  return isEnabled ? (port ?? METRICS_PORT_DEFAULT) : undefined
}

function createTemporaryPlaces(): {
  dataDirectory: string
  databasePath: string
  blocksPath: string
} {
  const dataDirectory = createTemporaryDirectory()
  return {
    dataDirectory,
    databasePath: join(dataDirectory, 'caps.db'),
    blocksPath: join(dataDirectory, 'blocks'),
  }
}

/** A node that keeps nothing gets a secret that dies with it. */
function openSecret(
  written: Uint8Array | undefined,
  dataDirectory: string,
  isTemporary: boolean,
): { secret: Uint8Array; newSecretPath?: string; warning?: string } {
  if (written !== undefined) return { secret: written }
  if (isTemporary) return { secret: randomBytes(TEMPORARY_SECRET_BYTES) }
  const path = join(dataDirectory, SECRET_FILE_NAME)
  const { secret, isNew, isExposed } = openSecretFile(path)
  return {
    secret,
    ...(isNew ? { newSecretPath: path } : {}),
    ...(isExposed
      ? { warning: `Other users can read the secret of the node: chmod 600 ${path}` }
      : {}),
  }
}

const describeMeaningless = (names: readonly string[]): string =>
  `These names have no meaning on this node and set nothing: ${names.join(', ')}.`
