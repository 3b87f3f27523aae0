/**
 * A node with all its threads in this process, configured as the program is, by variables. For what cannot be set from
 * outside: how it reaches other hosts.
 */
import { afterAll, beforeAll } from 'vitest'
import { openConfig, parseConfig } from '../../src/main/config/config.ts'
import { createLogger } from '../../src/main/logger.ts'
import { type Reach } from '../../src/main/network/web-keys.ts'
import { type RunningNode, startNode } from '../../src/main/start.ts'
import { type Connections, openConnections } from './client.ts'
import { createDirectory, removeDirectory } from './node-process.ts'

const CONNECTIONS = 16

export interface NodeInProcess {
  readonly connections: Connections
  /** Holds `data`, where the node keeps everything. */
  readonly directory: string
  /** What it logged, as JSON lines. */
  readonly lines: readonly string[]
}

export interface NodeInProcessOptions {
  /** `TINYCLOUD_…`; read when the tests start. */
  readonly environment: () => Readonly<Record<string, string>>
  readonly reach?: Reach
}

/** Call at the top of a file; its members may be read inside tests. */
export function useNodeInProcess(name: string, options: NodeInProcessOptions): NodeInProcess {
  const lines: string[] = []
  let directory: string | undefined
  let node: RunningNode | undefined
  let connections: Connections | undefined
  beforeAll(async () => {
    directory = await createDirectory(name)
    const environment = {
      TINYCLOUD_PORT: '0',
      TINYCLOUD_STORAGE_DATADIR: 'data',
      TINYCLOUD_COMPUTE_WORKERS: '1',
      TINYCLOUD_LOG_FORMAT: 'Json',
      ...options.environment(),
    }
    const { config, secrets } = openConfig(
      parseConfig({ environment, workingDirectory: directory }),
    )
    const log = createLogger(config.log, { write: (line) => void lines.push(line) })
    const { reach } = options
    node = await startNode(config, secrets, { log, version: '0', ...(reach && { reach }) })
    connections = openConnections(node.url, CONNECTIONS)
  })
  afterAll(async () => {
    await connections?.close()
    const stopped = await node?.close()
    if (stopped && !stopped.clean) throw new Error(`the node hangs:\n${lines.join('')}`)
    if (directory !== undefined) await removeDirectory(directory)
  })
  return {
    lines,
    get directory() {
      if (directory === undefined) throw new Error('the node is not running yet')
      return directory
    },
    get connections() {
      if (!connections) throw new Error('the node is not running yet')
      return connections
    },
  }
}
