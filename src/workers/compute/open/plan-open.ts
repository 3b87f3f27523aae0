/** Requests without a token: each is answered in one hop, from one snapshot. */
import { type ComputeContext } from '../context.ts'
import { type Plan } from '../plan.ts'
import { type OpenEntry } from '../request.ts'
import { planSignedRead } from '../signed-url/plan-signed-read.ts'
import { planPublicList, planPublicRead } from './public-space.ts'

/** @throws {ProtocolError} when the target alone tells that there is nothing to read */
export function planOpen(context: ComputeContext, entry: OpenEntry): Plan {
  const { target } = entry
  if (target.kind === 'ticket') return planSignedRead(context, entry, target)
  if (target.kind === 'publicKey') return planPublicRead(context, entry, target)
  return planPublicList(target)
}
