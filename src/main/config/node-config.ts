/** The one frozen configuration of a running node: merged, defaulted, checked. Safe to log: secrets are apart. */
import {
  type BlocksOptions,
  type DatabaseOptions,
  type KeepRule,
  type SpaceLimits,
} from '../../workers/storage/request.ts'

export interface NodeConfig {
  readonly address: string
  /** 0 lets the system choose (tests). */
  readonly port: number
  readonly cors: boolean
  /** Reverse proxies whose word about the client's address is taken. */
  readonly trustedProxies: readonly ProxyNetwork[]
  readonly log: { readonly level: 'normal' | 'debug'; readonly format: 'text' | 'json' }
  readonly database: DatabaseOptions
  readonly blocks: BlocksOptions
  /** A private directory that is removed at exit, when nothing is to be kept (`sqlite::memory:`). */
  readonly temporaryDirectory: string | undefined
  readonly staging: 'memory' | 'file'
  /** Bytes that the scrub may read in a second; 0: there is no scrub. */
  readonly scrubBytesPerS: number
  readonly spaceLimits: SpaceLimits
  readonly keepRule: KeepRule
  /** Bytes of the disk that stay free; 0: none. */
  readonly reserveBytes: number
  readonly invocation: { readonly lifetimeMaxS: number; readonly clockSkewS: number }
  readonly kv: { readonly implicitText: 'drop' | 'keep' }
  /** Reads that one client may make of public spaces. */
  readonly publicSpaces: { readonly perMinute: number; readonly burst: number }
  /** The server that knows which spaces may be hosted; undefined: all of them. http: or https:, without query. */
  readonly allowlistUrl: string | undefined
  /** Keys of did:web issuers are fetched from their hosts. */
  readonly didWeb: boolean
  /** Size of the compute pool. */
  readonly computeWorkers: number
  /** Port of the metrics listener; undefined: it does not listen. */
  readonly metricsPort: number | undefined
}

/** Addresses of one network; a single address is a network of its own. */
export interface ProxyNetwork {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  /** Bits that all its addresses have in common. */
  readonly prefixBits: number
}

export interface NodeSecrets {
  /** At least 32 bytes. Host DIDs and list cursors are derived from it. */
  readonly nodeSecret: Uint8Array
  /** JSON-RPC servers by the decimal id of their chain; such URLs often hold a key. */
  readonly rpcUrls: ReadonlyMap<string, string>
}
