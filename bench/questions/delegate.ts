import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

/** Each recovers the key of a wallet from its signature, and is stored. */
export const delegate: Question = {
  name: 'delegate',
  asks: 'What share of the limit do durable delegations by a wallet reach?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'delegate' } as const
    const answer = await answerLoad(settings, { label: 'delegate', shape, leastShare: 0.25 })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
