/** Decides where the node keeps its data (DESIGN §9, "Where data lives"). Creates nothing. */
import { dirname, join, resolve } from 'node:path'

import { type Settings } from './schema.ts'

export type StoragePlan =
  /** Nothing is kept: everything lies in a private directory that is removed at exit. */
  | { readonly kind: 'temporary' }
  | {
      readonly kind: 'kept'
      /** Absolute paths. */
      readonly dataDirectory: string
      readonly databasePath: string
      readonly blocksPath: string
    }

type DatabasePlace = { readonly kind: 'memory' } | { readonly kind: 'file'; readonly path: string }

type StorageSettings = Pick<
  Settings,
  'storage.datadir' | 'storage.database' | 'storage.blocks.path'
>

/** Schemes of databases that come with a later version. */
const SERVER_SCHEME = /^(?:postgres|postgresql|mysql|mariadb):/i
const OTHER_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i
/** Modes of a `sqlite:` URL that mean what the node does anyway: read, write, create. */
const SQLITE_MODES: readonly string[] = ['rw', 'rwc']

/**
 * Rule: `storage.datadir` roots only defaults; of a written SQLite file without a data directory, its directory is that.
 * Written paths are relative to `workingDirectory`.
 * @throws {RangeError} with the sentence for the person who wrote it
 */
export function planStorage(settings: StorageSettings, workingDirectory: string): StoragePlan {
  const written = settings['storage.database']
  const writtenDirectory = settings['storage.datadir']
  const writtenBlocks = settings['storage.blocks.path']

  const place = parseDatabase(written ?? defaultDatabase(writtenDirectory))
  if (place.kind === 'memory') {
    if (writtenBlocks !== null)
      throw new RangeError(
        'storage.blocks.path: the database is sqlite::memory:, which keeps nothing, so a directory of blocks would be useless. Set storage.datadir, or remove storage.blocks.path.',
      )
    return { kind: 'temporary' }
  }
  const databasePath = resolve(workingDirectory, place.path)
  const dataDirectory =
    writtenDirectory === null ? dirname(databasePath) : resolve(workingDirectory, writtenDirectory)
  const blocksPath =
    writtenBlocks === null
      ? join(dataDirectory, 'blocks')
      : resolve(workingDirectory, writtenBlocks)
  return { kind: 'kept', dataDirectory, databasePath, blocksPath }
}

const defaultDatabase = (dataDirectory: string | null): string =>
  dataDirectory === null ? 'sqlite::memory:' : join(dataDirectory, 'caps.db')

/**
 * Takes `sqlite:PATH`, `sqlite://PATH`, `sqlite::memory:`, each with an optional `?mode=rwc`, and a bare path.
 * Messages never repeat the text: a URL of a server holds a password.
 */
function parseDatabase(text: string): DatabasePlace {
  if (SERVER_SCHEME.test(text))
    throw new RangeError(
      'storage.database: PostgreSQL, MySQL and MariaDB come with a later version; this one keeps its database in a SQLite file, such as sqlite:./data/caps.db.',
    )
  if (!text.toLowerCase().startsWith('sqlite:')) {
    if (OTHER_SCHEME.test(text))
      throw new RangeError('storage.database: must be sqlite:PATH, a path, or sqlite::memory:.')
    return text === ':memory:' ? { kind: 'memory' } : { kind: 'file', path: text }
  }
  const [encodedPath = '', query] = text.slice('sqlite:'.length).replace(/^\/\//, '').split('?', 2)
  const mode = parseMode(query)
  if (encodedPath === ':memory:' || mode === 'memory') return { kind: 'memory' }
  if (encodedPath === '')
    throw new RangeError('storage.database: the path after sqlite: is missing.')
  return { kind: 'file', path: decodePath(encodedPath) }
}

function parseMode(query: string | undefined): string | undefined {
  if (query === undefined) return undefined
  const parameters = new URLSearchParams(query)
  const mode = parameters.get('mode') ?? undefined
  const isKnown = mode !== undefined && [...SQLITE_MODES, 'memory'].includes(mode)
  if (!isKnown || parameters.size !== 1)
    throw new RangeError('storage.database: the only parameter after ? is mode=rwc.')
  return mode
}

/** A `sqlite:` URL is percent-encoded, as the existing node reads it; a bare path is not. */
function decodePath(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch (error) {
    throw new RangeError('storage.database: a % in a sqlite: path must be written as %25.', {
      cause: error,
    })
  }
}
