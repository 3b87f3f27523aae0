/**
 * The storage actor without a thread around it, on a real database and real files; beside it, the least that a durable
 * change costs on the same disk: one append and one fdatasync.
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { type StorageCommand } from '../../src/workers/storage/request.ts'
import { hosting } from '../../test/_util/storage-commands.ts'
import { openStorage } from '../../test/_util/storage-under-test.ts'
import { createPuts } from '../constants/trial.ts'
import { type MicroTask, type MicroTasks } from './task.ts'

const VALUE_BYTES = 1024
const GROUPS = [1, 8, 32]

/** `directory`: empty, on a disk; the caller removes it. */
export async function openStorageTasks(directory: string): Promise<MicroTasks> {
  const storage = await openStorage(directory)
  await storage.send(hosting())
  let keys = 0
  const applyTask = (groupItems: number): MicroTask => {
    let commands: StorageCommand[] = []
    return {
      name: `durable put through the actor, in groups of ${groupItems}`,
      prepare() {
        commands = createPuts({ first: keys, count: groupItems }, VALUE_BYTES)
        keys += groupItems
      },
      async run() {
        const replies = await storage.send(...commands)
        if (replies.some(({ kind }) => kind === 'failure')) throw new Error('a put was refused')
      },
      perRun: groupItems,
    }
  }
  const descriptor = openSync(path.join(directory, 'plain-append'), 'a')
  const appendTask = (items: number): MicroTask => {
    const bytes = randomBytes(VALUE_BYTES * items)
    return {
      name: `limit: plain append of ${items} KiB and fdatasync, per KiB`,
      run() {
        writeSync(descriptor, bytes)
        fdatasyncSync(descriptor)
      },
      perRun: items,
    }
  }
  return {
    tasks: [...GROUPS.map(applyTask), ...GROUPS.map(appendTask)],
    async close() {
      closeSync(descriptor)
      await storage.close()
    },
  }
}
