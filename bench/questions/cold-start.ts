import {
  createDirectory,
  removeDirectory,
  startNodeProcess,
} from '../../test/_util/node-process.ts'
import { spreadOf } from '../compare/pairs.ts'
import { startLimitProcess } from '../limits/limit-process.ts'
import { atMost, type Question } from '../question.ts'

const READY_MS_MAX = 1000

async function measureStartMs(
  start: (directory: string) => Promise<{ stop(): Promise<unknown> }>,
): Promise<number> {
  const directory = await createDirectory('bench-start')
  try {
    const startedMs = performance.now()
    const server = await start(directory)
    const readyMs = performance.now() - startedMs
    await server.stop()
    return readyMs
  } finally {
    await removeDirectory(directory)
  }
}

/** Of the built program; the limit is bare fastify, from its source. */
export const coldStart: Question = {
  name: 'cold-start',
  asks: 'How long does it take from the command to the first healthy answer, on an empty directory?',
  async answer({ pairs, nodeExtras }) {
    const nodeMs: number[] = []
    const limitMs: number[] = []
    for (let round = 0; round < pairs; round++) {
      nodeMs.push(
        await measureStartMs((directory) => startNodeProcess({ ...nodeExtras, directory })),
      )
      limitMs.push(await measureStartMs((directory) => startLimitProcess('verify', directory)))
    }
    const node = spreadOf(nodeMs)
    return {
      figures: [
        {
          label: 'start on an empty directory',
          unit: 'ms',
          node,
          limit: spreadOf(limitMs),
          share: spreadOf(nodeMs.map((ms, index) => ms / (limitMs[index] ?? Number.NaN))),
          target: atMost(node.median, READY_MS_MAX, `< ${READY_MS_MAX} ms`),
        },
      ],
      data: { nodeMs, limitMs },
    }
  },
}
