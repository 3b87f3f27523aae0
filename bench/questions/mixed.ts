import { answerLoad, describeLoad } from '../load/load-question.ts'
import { ONE_SPACE } from '../load/session.ts'
import { type Question } from '../question.ts'

/** Puts change keys that gets read at the same time. */
export const mixed: Question = {
  name: 'mixed',
  asks: 'What share of the limit do four gets to one put reach on the same keys?',
  async answer(settings) {
    const shape = { ...ONE_SPACE, mode: 'mixed' } as const
    const answer = await answerLoad(settings, { label: '80 % get, 20 % put', shape })
    return { figures: [describeLoad(answer)], data: answer }
  },
}
