import { randomBytes } from 'node:crypto'
import { finished } from 'node:stream/promises'
import { Pool } from 'undici'
import { openConnections } from '../../test/_util/client.ts'
import {
  measureRounds,
  type Round,
  shareOfSide,
  type Side,
  spreadOfSide,
} from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { startSides } from '../compare/sides.ts'
import { createAccounts, hostAccounts } from '../load/accounts.ts'
import { createTokenMaker } from '../load/plan.ts'
import { describeRounds } from '../load/load-question.ts'
import { atLeast, type Figure, type Question } from '../question.ts'

const VALUE_BYTES = 64 * 2 ** 20
const VALUE_BYTES_QUICK = 16 * 2 ** 20
const LEAST_SHARE = 0.6

interface Transfer {
  /** 10⁶ bytes per second. */
  readonly upMBps: number
  readonly downMBps: number
}

interface Tokens {
  readonly put: string
  readonly get: string
}

async function send(side: Side, authorization: string, body: Buffer | null): Promise<number> {
  const pool = new Pool(side.url, { connections: 1 })
  try {
    const startedMs = performance.now()
    const { statusCode, body: answer } = await pool.request({
      path: '/invoke',
      method: 'POST',
      headers: { authorization },
      body,
    })
    answer.resume()
    await finished(answer)
    if (statusCode !== 200) throw new Error(`${side.name} answered ${statusCode}`)
    return (performance.now() - startedMs) / 1000
  } finally {
    await pool.destroy()
  }
}

async function transfer(side: Side, tokens: Tokens, value: Buffer): Promise<Transfer> {
  const upSeconds = await send(side, tokens.put, value)
  const downSeconds = await send(side, tokens.get, null)
  const megabytes = value.length / 1e6
  return { upMBps: megabytes / upSeconds, downMBps: megabytes / downSeconds }
}

async function measure(settings: BenchSettings, value: Buffer): Promise<Round<Transfer>[]> {
  const accounts = createAccounts({ count: 1, depth: 1 })
  const makeToken = createTokenMaker(accounts)
  const sides = await startSides(settings, 'pipe')
  try {
    for (const { url } of sides.nodes) {
      const connections = openConnections(url, 1)
      try {
        await hostAccounts(connections, accounts)
      } finally {
        await connections.close()
      }
    }
    return await measureRounds({
      sides: sides.all,
      rounds: settings.pairs,
      attemptsPerRoundMax: settings.attemptsPerPairMax,
      async prepare(roundNo) {
        const key = `large/${roundNo}`
        return {
          put: makeToken({ operation: 'put', key, account: 0 }),
          get: makeToken({ operation: 'get', key, account: 0 }),
        }
      },
      measure: (side, tokens: Tokens) => transfer(side, tokens, value),
    })
  } finally {
    await sides.close()
  }
}

/** Bytes that do not fit into one message: staged, hashed by segment, synced; sent again after each segment was checked. */
export const largeValues: Question = {
  name: 'large-values',
  asks: 'What share of a plain pipe with a hash do large values reach, up and down?',
  async answer(settings) {
    const value = randomBytes(settings.isQuick ? VALUE_BYTES_QUICK : VALUE_BYTES)
    const rounds = await measure(settings, value)
    const describe = (direction: string, pick: (report: Transfer) => number): Figure => {
      const node = spreadOfSide(rounds, 'node', pick)
      if (!node) throw new Error('the node was not measured')
      const share = shareOfSide(rounds, 'limit', pick)
      return {
        label: `${value.length / 2 ** 20} MiB ${direction}, against a plain pipe`,
        unit: 'MB/s',
        node,
        limit: spreadOfSide(rounds, 'limit', pick),
        share,
        against: spreadOfSide(rounds, 'against', pick),
        shareOfAgainst: shareOfSide(rounds, 'against', pick),
        target: atLeast(share, LEAST_SHARE),
        remarks: [describeRounds(rounds)],
      }
    }
    return {
      figures: [
        describe('up', ({ upMBps }) => upMBps),
        describe('down', ({ downMBps }) => downMBps),
      ],
      data: rounds,
    }
  },
}
