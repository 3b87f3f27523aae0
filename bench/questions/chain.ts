import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

const DEPTH = 4

/** Verified delegations are immutable facts and cached; that they are not revoked is read every time. */
export const chain: Question = {
  name: 'chain',
  asks: 'What share of the limit do gets reach that rest on a chain of four delegations?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'get', depth: DEPTH } as const
    const label = `get 1 KiB, chain of ${DEPTH}`
    const answer = await answerLoad(settings, { label, shape, leastShare: 0.8 })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
