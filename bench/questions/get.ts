import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

/** Verified, authorised, looked up and checked against its hash. */
export const get: Question = {
  name: 'get',
  asks: 'What share of the limit do gets of 1 KiB reach at 64 connections?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'get' } as const
    const answer = await answerLoad(settings, {
      label: 'get 1 KiB, one space',
      shape,
      leastShare: 0.9,
    })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
