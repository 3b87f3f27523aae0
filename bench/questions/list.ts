import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

/** The longest answer that is made of rows alone. */
export const list: Question = {
  name: 'list',
  asks: 'What share of the limit do lists of 100 keys reach at 64 connections?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'list' } as const
    const answer = await answerLoad(settings, { label: 'list page of 100', shape, leastShare: 0.4 })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
