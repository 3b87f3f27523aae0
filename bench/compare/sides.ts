/** Starts what takes turns in a question: the node, the other node where one is wanted, and the limit. */
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import {
  createDirectory,
  type NodeProcess,
  removeDirectory,
  startNodeProcess,
} from '../../test/_util/node-process.ts'
import { type LimitName, startLimitProcess } from '../limits/limit-process.ts'
import { assertRealDisk } from '../machine.ts'
import { type Side } from './pairs.ts'
import { type BenchSettings } from './settings.ts'

export interface RunningSides {
  readonly node: Side & { readonly pid: number }
  readonly limit: Side | undefined
  /** The nodes: the sides that store something. */
  readonly nodes: readonly Side[]
  readonly all: readonly Side[]
  close(): Promise<void>
}

/** Every question meets nodes of its own, on empty directories on a disk. */
export async function startSides(
  settings: BenchSettings,
  limitName: LimitName | undefined,
): Promise<RunningSides> {
  const directory = await createDirectory('bench')
  const closers: (() => Promise<unknown>)[] = [() => removeDirectory(directory)]
  const close = async (): Promise<void> => {
    for (const end of closers.splice(0).toReversed()) await end()
  }
  const startNode = async (name: string, projectRoot?: string): Promise<NodeProcess> => {
    const own = path.join(directory, name)
    await mkdir(own)
    const process = await startNodeProcess({
      ...settings.nodeExtras,
      directory: own,
      ...(settings.computeWorkers !== undefined && { computeWorkers: settings.computeWorkers }),
      ...(projectRoot !== undefined && { projectRoot }),
    })
    closers.push(() => process.stop())
    return process
  }
  try {
    assertRealDisk(directory)
    const { url, pid } = await startNode('node')
    const node = { name: 'node', url, pid } as const
    const against = await startAgainst(settings, startNode)
    let limit: Side | undefined
    if (limitName !== undefined) {
      const process = await startLimitProcess(limitName, directory)
      closers.push(() => process.stop())
      limit = { name: 'limit', url: process.url, pid: process.pid }
    }
    const nodes = against ? [node, against] : [node]
    return { node, limit, nodes, all: limit ? [...nodes, limit] : nodes, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function startAgainst(
  { against }: BenchSettings,
  startNode: (name: string, projectRoot: string) => Promise<NodeProcess>,
): Promise<Side | undefined> {
  if (!against) return undefined
  if (against.kind === 'url') return { name: 'against', url: against.url, pid: against.pid }
  const { url, pid } = await startNode('against', against.projectRoot)
  return { name: 'against', url, pid }
}
