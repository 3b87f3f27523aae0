import { Readable } from 'node:stream'
import { openConnections } from '../../test/_util/client.ts'
import { spreadOf } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LoadReport } from '../load/latency.ts'
import { tokensFor } from '../load/load-question.ts'
import { type LoadSession, ONE_SPACE, openLoadSession } from '../load/session.ts'
import { readMemory } from '../machine.ts'
import { atMost, type Question } from '../question.ts'

/** The largest value that the protocol allows. */
const UPLOAD_BYTES = 1e9
const UPLOAD_BYTES_QUICK = 1e8
const CHUNK_BYTES = 64 * 1024
const SAMPLE_MS = 20
const MEBIBYTE = 2 ** 20
const RESIDENT_MIB_MAX = 300
const ADDED_MIB_MAX = 64

function* produce(totalBytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(CHUNK_BYTES, 7)
  for (let rest = totalBytes; rest > 0; rest -= CHUNK_BYTES)
    yield rest >= CHUNK_BYTES ? chunk : chunk.subarray(0, rest)
}

/** The most resident bytes while `work` runs. */
async function watchResident(pid: number, work: () => Promise<void>): Promise<number> {
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, readMemory(pid).residentBytes)
  }, SAMPLE_MS)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return most
}

async function upload(session: LoadSession, totalBytes: number): Promise<void> {
  const connections = openConnections(session.sides.node.url, 1)
  try {
    const { headers } = (await session.sign(1)).nodes.at(0)
    const { status } = await connections.request('/invoke', {
      headers: { ...headers, 'content-length': String(totalBytes) },
      body: Readable.from(produce(totalBytes)),
    })
    if (status !== 200) throw new Error(`the upload was answered ${status}`)
  } finally {
    await connections.close()
  }
}

interface MemoryUse {
  readonly load: LoadReport
  readonly loadedBytes: number
  readonly uploadBytes: number
  readonly addedBytes: number
}

async function measure(settings: BenchSettings): Promise<MemoryUse> {
  const alone = { ...settings, against: undefined }
  const session = await openLoadSession(alone, { ...ONE_SPACE, mode: 'put' }, undefined)
  const { pid } = session.sides.node
  const uploadBytes = settings.isQuick ? UPLOAD_BYTES_QUICK : UPLOAD_BYTES
  try {
    const { nodes } = await session.sign(tokensFor(session.ratePerS, settings.seconds))
    const loader = session.loaderOf(session.sides.node)
    const load = await loader.runClosedLoop(nodes, settings.seconds)
    const loadedBytes = readMemory(pid).residentBytes
    const mostBytes = await watchResident(pid, () => upload(session, uploadBytes))
    return { load, loadedBytes, uploadBytes, addedBytes: Math.max(0, mostBytes - loadedBytes) }
  } finally {
    await session.close()
  }
}

/** All threads together, as the system counts them. */
export const memory: Question = {
  name: 'memory',
  asks: 'How much memory does the node hold under load, and how much does one huge upload add?',
  async answer(settings) {
    const use = await measure(settings)
    const loadedMiB = use.loadedBytes / MEBIBYTE
    const addedMiB = use.addedBytes / MEBIBYTE
    return {
      figures: [
        {
          label: 'resident memory after puts of 1 KiB at 64 connections',
          unit: 'MiB',
          node: spreadOf([loadedMiB]),
          target: atMost(loadedMiB, RESIDENT_MIB_MAX, `< ${RESIDENT_MIB_MAX} MiB`),
          remarks: [`${use.load.requests} puts`],
        },
        {
          label: `added by an upload of ${use.uploadBytes / 1e6} MB`,
          unit: 'MiB',
          node: spreadOf([addedMiB]),
          target: atMost(addedMiB, ADDED_MIB_MAX, `< ${ADDED_MIB_MAX} MiB`),
        },
      ],
      data: use,
    }
  },
}
