/** One real node for all tests of a file, on a directory of its own. */
import { afterAll, beforeAll } from 'vitest'
import { type Connections, openConnections } from './client.ts'
import {
  createDirectory,
  type NodeProcess,
  type NodeProcessOptions,
  removeDirectory,
  startNodeProcess,
} from './node-process.ts'

const CONNECTIONS = 32

export interface RunningNode {
  readonly connections: Connections
  readonly process: NodeProcess
  /** Holds `data`, where the node keeps everything. */
  readonly directory: string
}

/**
 * Call at the top of a file; its members may be read inside tests. After the tests the node must still be able to stop
 * by itself, with exit code 0: a node that crashed or hangs fails the file.
 */
export function useRunningNode(
  name: string,
  options: Omit<NodeProcessOptions, 'directory'> = {},
): RunningNode {
  let running: RunningNode | undefined
  beforeAll(async () => {
    const directory = await createDirectory(name)
    const process = await startNodeProcess({ ...options, directory })
    running = { connections: openConnections(process.url, CONNECTIONS), process, directory }
  })
  afterAll(async () => {
    if (!running) return
    await running.connections.close()
    const { code } = await running.process.stop()
    if (code !== 0) throw new Error(`the node ended with ${code}:\n${running.process.output()}`)
    await removeDirectory(running.directory)
  })
  const current = (): RunningNode => {
    if (!running) throw new Error('the node is not running yet')
    return running
  }
  return {
    get connections() {
      return current().connections
    },
    get process() {
      return current().process
    },
    get directory() {
      return current().directory
    },
  }
}
