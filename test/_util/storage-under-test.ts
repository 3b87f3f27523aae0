/** A storage actor with a real database and real files in a directory of its own, and answers as promises. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabaseReader } from '../../src/workers/database/reader.ts'
import { type DatabaseReader } from '../../src/workers/database/facts.ts'
import { type BlockReader, openBlockReader } from '../../src/workers/blocks/reader.ts'
import {
  readReplies,
  type StorageCommand,
  type StorageEvent,
  type StorageOptions,
  type StorageReply,
} from '../../src/workers/storage/request.ts'
import { NOTHING_KEPT } from '../../src/workers/keep-rule.ts'
import { NO_SPACE_LIMITS } from '../../src/workers/space-limits.ts'
import {
  type RunningStorage,
  startStorage,
  type StorageSurroundings,
} from '../../src/workers/storage/start-storage.ts'
import { packCommands } from './storage-commands.ts'

export const NOW_S = 1_800_000_000

export function storageOptions(
  directory: string,
  given: Partial<StorageOptions> = {},
): StorageOptions {
  return {
    database: { type: 'sqlite', path: join(directory, 'caps.db') },
    blocks: { type: 'local', path: join(directory, 'blocks') },
    secretFingerprint: new Uint8Array(32).fill(7),
    invocationLifetimeS: 300,
    spaceLimits: NO_SPACE_LIMITS,
    keepRule: NOTHING_KEPT,
    reserveBytes: 0,
    ...given,
  }
}

export interface StorageUnderTest {
  readonly storage: RunningStorage
  readonly events: StorageEvent[]
  /** Errors that would have ended the process. */
  readonly deaths: unknown[]
  /** Sends commands in one batch; replies come in their order. */
  send(...commands: StorageCommand[]): Promise<StorageReply[]>
  probe(isWrite: boolean): Promise<StorageEvent>
  openReaders(): { database: DatabaseReader; blocks: BlockReader; close(): void }
  close(): Promise<void>
}

export async function openStorage(
  directory: string,
  surroundings: Partial<StorageSurroundings> = {},
  given: Partial<StorageOptions> = {},
): Promise<StorageUnderTest> {
  const options = storageOptions(directory, given)
  mkdirSync(options.blocks.path, { recursive: true })
  const events: StorageEvent[] = []
  const deaths: unknown[] = []
  const waiting = new Map<number, (reply: StorageReply) => void>()
  const probes = new Map<number, (event: StorageEvent) => void>()
  const storage = await startStorage(options, {
    nowS: () => NOW_S,
    die: (error) => deaths.push(error),
    ...surroundings,
    post: (event) => {
      events.push(event)
      if (event.kind === 'probed') probes.get(event.probeId)?.(event)
      if (event.kind === 'replies')
        for (const reply of readReplies(event.batch)) waiting.get(reply.requestId)?.(reply)
    },
  })
  let probeCount = 0
  return {
    storage,
    events,
    deaths,
    send(...commands) {
      const replies = commands.map(
        ({ requestId }) =>
          new Promise<StorageReply>((resolve) => {
            waiting.set(requestId, resolve)
          }),
      )
      storage.actor.submit(packCommands(commands))
      return Promise.all(replies)
    },
    probe(isWrite) {
      const probeId = ++probeCount
      const answer = new Promise<StorageEvent>((resolve) => {
        probes.set(probeId, resolve)
      })
      storage.actor.probe(probeId, isWrite)
      return answer
    },
    openReaders() {
      const database = openDatabaseReader(options.database)
      const blocks = openBlockReader(options.blocks)
      return {
        database,
        blocks,
        close() {
          void database.close()
          blocks.close()
        },
      }
    },
    close: () => storage.close(),
  }
}
