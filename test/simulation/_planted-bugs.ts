/**
 * Faults of the kind that the simulation is there to find, planted through what a node is given: its disk, its database.
 * Each breaks one rule of docs/storage.md.
 */
import { type FileSystem } from '../../src/workers/blocks/file-system.ts'
import { type Database, openDatabase } from '../../src/workers/database/open-database.ts'
import { configureWriter, openWriter } from '../../src/workers/database/sqlite/connection.ts'
import { migrate, readSchemaVersion } from '../../src/workers/database/sqlite/migrate.ts'
import { SqliteKeptLedger } from '../../src/workers/database/sqlite/sqlite-kept-ledger.ts'
import { SqlitePackLedger } from '../../src/workers/database/sqlite/sqlite-pack-ledger.ts'
import { SqliteQuarantine } from '../../src/workers/database/sqlite/sqlite-quarantine.ts'
import { SqliteRunLedger } from '../../src/workers/database/sqlite/sqlite-run-ledger.ts'
import { SqliteTransactor } from '../../src/workers/database/sqlite/sqlite-transactor.ts'
import { type Transactor } from '../../src/workers/database/transactor.ts'
import { type DatabaseOptions } from '../../src/workers/storage/request.ts'
import { type PlantedBug } from './_crashing-storage.ts'

/** `target`, but for some of its methods. */
function replaceIn<T extends object>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get: (_, property) => {
      const replaced: unknown = Reflect.get(methods, property)
      if (replaced !== undefined) return replaced
      const member: unknown = Reflect.get(target, property)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => Reflect.apply(member, target, args)
    },
  })
}

const withTransactor = (
  options: DatabaseOptions,
  methodsOf: (transactor: Transactor) => Partial<Transactor>,
): Database => {
  const database = openDatabase(options)
  return {
    ...database,
    transactor: replaceIn(database.transactor, methodsOf(database.transactor)),
  }
}

/** Syncs of packs do nothing. */
const skipPackSync: PlantedBug = {
  files: (files) => ({ ...files, fdatasyncSync: () => undefined }),
}

/** A group is answered, and committed when the next one begins. */
const replyBeforeCommit: PlantedBug = {
  openDatabase: (options) =>
    withTransactor(options, (transactor) => {
      let isDue = false
      const commit = (): void => {
        if (isDue) void transactor.commit()
        isDue = false
      }
      return {
        begin: (runNo) => {
          commit()
          return transactor.begin(runNo)
        },
        commit: () => {
          isDue = true
        },
        logState: () => {
          commit()
          return transactor.logState()
        },
      }
    }),
}

/** What a pack loses is counted twice. */
const lowerLiveBytesTwice: PlantedBug = {
  openDatabase: (options) =>
    withTransactor(options, (transactor) => ({
      apply: (changes) => {
        const packs = [...changes.packs].map(([packNo, { liveBytes, historyBytes }]) => {
          const counted = liveBytes < 0 ? 2 * liveBytes : liveBytes
          return [packNo, { liveBytes: counted, historyBytes }] as const
        })
        return transactor.apply({ ...changes, packs: new Map(packs) })
      },
    })),
}

/** A replaced value is to be kept, and no row says so. */
const forgetKept: PlantedBug = {
  openDatabase: (options) =>
    withTransactor(options, (transactor) => ({
      apply: (changes) => transactor.apply({ ...changes, kept: undefined }),
    })),
}

/** Where a number was lowered, one version too many goes. */
const letGoOfOneMore: PlantedBug = {
  openDatabase: (options) => {
    const database = openDatabase(options)
    const { kept } = database
    const methods: Partial<typeof kept> = {
      letGoBeyond: (versions, after, step) => kept.letGoBeyond(versions - 1, after, step),
    }
    return { ...database, kept: replaceIn(kept, methods) }
  },
}

/** What is let go too early is what was replaced after the time that is named. */
const letGoOfEverything: PlantedBug = {
  openDatabase: (options) => {
    const database = openDatabase(options)
    const { kept } = database
    const methods: Partial<typeof kept> = {
      letGoUntil: (_, step) => kept.letGoUntil(Infinity, step),
    }
    return { ...database, kept: replaceIn(kept, methods) }
  },
}

/** Opens as the product does, without putting the recovered log on stable storage. */
const openBeforeCheckpoint: PlantedBug = {
  openDatabase: ({ path }) => {
    const connection = openWriter(path)
    const version = readSchemaVersion(connection, path)
    configureWriter(connection)
    migrate(connection, version)
    return {
      transactor: new SqliteTransactor(connection, path),
      ledger: new SqliteRunLedger(connection),
      packs: new SqlitePackLedger(connection),
      kept: new SqliteKeptLedger(connection),
      quarantine: new SqliteQuarantine(connection),
    }
  },
}

/**
 * A directory that was there already is not synced. (Leaving out only its parent harms nothing here: each start makes the
 * staging directory anew and syncs their common parent.)
 */
const trustFoundDirectory: PlantedBug = {
  files: (files) => {
    const trusted = new Set<string>()
    const opened = new Map<number, string>()
    const openSync: FileSystem['openSync'] = (path, flags, mode) => {
      const descriptor = files.openSync(path, flags, mode)
      opened.set(descriptor, String(path))
      return descriptor
    }
    const mkdirSync: FileSystem['mkdirSync'] = (path: unknown): undefined => {
      try {
        files.mkdirSync(String(path))
      } catch (error) {
        trusted.add(String(path))
        throw error
      }
    }
    const fsyncSync: FileSystem['fsyncSync'] = (descriptor) => {
      if (!trusted.has(opened.get(descriptor) ?? '')) files.fsyncSync(descriptor)
    }
    return { ...files, openSync, mkdirSync, fsyncSync }
  },
}

/** `knownSeed`: one whose history finds it. */
export const PLANTED_BUGS: readonly {
  readonly name: string
  readonly bug: PlantedBug
  readonly knownSeed: number
}[] = [
  { name: 'skip the sync of a pack', bug: skipPackSync, knownSeed: 0 },
  { name: 'reply before the commit', bug: replyBeforeCommit, knownSeed: 14 },
  { name: 'lower the live bytes of a pack twice', bug: lowerLiveBytesTwice, knownSeed: 16 },
  {
    name: 'open the port before the recovered log is checkpointed',
    bug: openBeforeCheckpoint,
    knownSeed: 10,
  },
  { name: 'forget what is kept', bug: forgetKept, knownSeed: 0 },
  { name: 'let go of one version more', bug: letGoOfOneMore, knownSeed: 13 },
  { name: 'let go without regard to time', bug: letGoOfEverything, knownSeed: 0 },
  { name: 'skip the sync of a directory found existing', bug: trustFoundDirectory, knownSeed: 0 },
]
