import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

const SPACES = 32

/** One busy space must not be faster than many, nor slower. */
export const spaces: Question = {
  name: 'spaces',
  asks: 'What share of the limit do durable puts reach when they go to many spaces in turn?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'put', spaces: SPACES } as const
    const label = `put 1 KiB, ${SPACES} spaces`
    const answer = await answerLoad(settings, { label, shape, leastShare: 0.8 })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
