/** Thread that signs tokens ahead of a load. In: a `SigningOrder`. Out: the tokens, in order. */
import { parentPort, workerData } from 'node:worker_threads'
import { type LoadAccount, type NumberedAccounts } from './accounts.ts'
import { createTokenMaker, planRequest } from './plan.ts'
import { type SigningOrder } from './signers.ts'

const port = parentPort
if (!port) throw new Error('the signer runs in a worker thread')
const accounts: readonly LoadAccount[] | NumberedAccounts = workerData
const makeToken = createTokenMaker(accounts)

port.on('message', ({ plan, from, count }: SigningOrder) => {
  port.postMessage(
    Array.from({ length: count }, (_, offset) => makeToken(planRequest(from + offset, plan))),
  )
})
