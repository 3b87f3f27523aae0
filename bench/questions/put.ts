import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

/** Signed, verified, stored and synced: the whole way of a change. */
export const put: Question = {
  name: 'put',
  asks: 'What share of the limit do durable puts of 1 KiB reach at 64 connections?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'put' } as const
    const answer = await answerLoad(settings, {
      label: 'put 1 KiB, one space',
      shape,
      leastShare: 0.8,
    })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
