/** Everything that a load needs: running sides, accounts that the nodes host, signers, and connections to each side. */
import { openConnections } from '../../test/_util/client.ts'
import { type RunningSides, startSides } from '../compare/sides.ts'
import { type Side } from '../compare/pairs.ts'
import { type BenchSettings } from '../compare/settings.ts'
import { type LimitName } from '../limits/limit-process.ts'
import { createAccounts, hostAccounts } from './accounts.ts'
import { type LoadReport } from './latency.ts'
import { type Loader, type LoadRequests, openLoader } from './loader.ts'
import { type LoadMode, type LoadPlan } from './plan.ts'
import { createRequests } from './requests.ts'
import { openSigners } from './signers.ts'

/** Of preparations: enough to fill groups. */
const PREPARING_CONNECTIONS = 64
/** Tokens per step of a preparation. */
const PREPARED_KEYS_PER_STEP = 5000
/** Sent first of all: files and connections are open then, and it shows how many more requests a time needs. */
const WARM_UP_REQUESTS = 600
const FIRST_WARM_UP_SECONDS_MAX = 2

export interface LoadShape {
  readonly mode: LoadMode
  readonly connections: number
  readonly spaces: number
  readonly valueBytes: number
  /** Delegations between the owner and the invoker. */
  readonly depth: number
  /** Keys per space written before the load; what gets, lists and mixed loads find. */
  readonly keys: number
}

export const ONE_SPACE: Omit<LoadShape, 'mode'> = {
  connections: 64,
  spaces: 1,
  valueBytes: 1024,
  depth: 1,
  keys: 200,
}

/** What all sides of a round get: one set of tokens, and another where the limit cannot read them. */
export interface PreparedLoad {
  readonly nodes: LoadRequests
  readonly limit: LoadRequests
}

export interface LoadSession {
  readonly sides: RunningSides
  /** The fastest of the sides, as the warm-up saw it: says how many tokens a load of some seconds needs. */
  readonly ratePerS: number
  /** Signs the next requests. `mode`: where it is not that of the session. */
  sign(count: number, mode?: LoadMode): Promise<PreparedLoad>
  loaderOf(side: Side): Loader
  close(): Promise<void>
}

export const requestsFor = (side: Side, load: PreparedLoad): LoadRequests =>
  side.name === 'limit' ? load.limit : load.nodes

/** @throws {Error} when a node refuses the preparation */
export async function openLoadSession(
  settings: BenchSettings,
  shape: LoadShape,
  limitName: LimitName | undefined,
): Promise<LoadSession> {
  const sides = await startSides(settings, limitName)
  const accounts = createAccounts({ count: shape.spaces, depth: shape.depth })
  const signers = openSigners(accounts)
  const loaders = new Map<string, Loader>(
    sides.all.map(({ name, url }) => [name, openLoader(url, shape.connections)]),
  )
  let next = 0
  const signPlan = async (plan: LoadPlan, count: number): Promise<LoadRequests> => {
    const from = next
    next += count
    const tokens = await signers.sign({ plan, from, count })
    return createRequests({ plan, from, tokens, valueBytes: shape.valueBytes })
  }
  const sign: LoadSession['sign'] = async (count, mode = shape.mode) => {
    const plan = { mode, spaces: shape.spaces, keys: shape.keys }
    const nodes = await signPlan(plan, count)
    // Tokens of wallets mean nothing to the limit: it checks one signature of a key all the same.
    const limit =
      mode === 'delegate' && sides.limit ? await signPlan({ ...plan, mode: 'get' }, count) : nodes
    return { nodes, limit }
  }
  const loaderOf = (side: Side): Loader => {
    const loader = loaders.get(side.name)
    if (!loader) throw new Error(`no connections to ${side.name}`)
    return loader
  }
  let isClosed = false
  const close = async (): Promise<void> => {
    if (isClosed) return
    isClosed = true
    await Promise.all([...loaders.values()].map((loader) => loader.close()))
    await signers.close()
    await sides.close()
  }
  try {
    for (const { url } of sides.nodes) {
      const connections = openConnections(url, 1)
      try {
        await hostAccounts(connections, accounts)
      } finally {
        await connections.close()
      }
    }
    if (shape.mode !== 'put' && shape.mode !== 'delegate') {
      const total = shape.keys * shape.spaces
      for (let from = 0; from < total; from += PREPARED_KEYS_PER_STEP) {
        const count = Math.min(PREPARED_KEYS_PER_STEP, total - from)
        const plan = { mode: 'prepare', spaces: shape.spaces, keys: shape.keys } as const
        const requests = await signPlan(plan, count)
        for (const side of sides.nodes) await prepare(side, requests)
      }
    }
    let ratePerS = await warmUp(sides, await sign(WARM_UP_REQUESTS), loaderOf)
    if (settings.warmUpSeconds > 0) {
      const load = await sign(Math.ceil(ratePerS * settings.warmUpSeconds))
      ratePerS = await warmUp(sides, load, loaderOf, settings.warmUpSeconds)
    }
    return { sides, ratePerS, sign, loaderOf, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function prepare(side: Side, requests: LoadRequests): Promise<void> {
  const loader = openLoader(side.url, PREPARING_CONNECTIONS)
  const { statuses } = await loader.runClosedLoop(requests, Number.POSITIVE_INFINITY)
  await loader.close()
  if (statuses['200'] !== requests.length)
    throw new Error(`${side.name} refused the preparation: ${JSON.stringify(statuses)}`)
}

async function warmUp(
  sides: RunningSides,
  load: PreparedLoad,
  loaderOf: (side: Side) => Loader,
  secondsMax: number = FIRST_WARM_UP_SECONDS_MAX,
): Promise<number> {
  const reports: LoadReport[] = []
  for (const side of sides.all)
    reports.push(await loaderOf(side).runClosedLoop(requestsFor(side, load), secondsMax))
  return Math.max(...reports.map(({ requestsPerSecond }) => requestsPerSecond))
}
