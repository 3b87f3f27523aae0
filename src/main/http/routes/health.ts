/**
 * GET /healthz, GET /health · in: `?write=1` asks for a commit that reaches the disk · out: 200, empty · errors: 503, 507
 *
 * (reference-behaviour §1.1, sdk-contract §6.6: writes can hang while reads are fine.)
 */
import { type HealthProbe } from '../health-probe.ts'
import { type Exchange } from '../exchange.ts'

const WRITE_WANTED = /[?&]write=(1|true)(&|$)/

export async function answerHealth(exchange: Exchange, probe: HealthProbe): Promise<void> {
  const failure = await probe.check(WRITE_WANTED.test(exchange.request.url ?? ''))
  if (failure) exchange.sendFailure(failure)
  else exchange.send(200, [], new Uint8Array(0))
}
