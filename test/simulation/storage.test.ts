/**
 * Goal: whatever was answered survives, and nothing else happens, through any crash at any step.
 *
 * Method: random groups run until the process dies, or the power goes, at a random call to the disk or the database; a
 * new process starts on what is left, and may die while it cleans up. After every start that succeeds the guarantees of
 * src/workers/storage/actor.ts are checked against an oracle. A seed replays a history: TINYCLOUD_TEST_SEED.
 */
import { expect, it } from 'vitest'
import { chooseSeed, countFromEnvironment, createRandom } from '../_util/random.ts'
import { History, LIVES_PER_HISTORY } from './_history.ts'
import { inMemoryDirectory } from './_memory-directory.ts'

const HISTORIES = countFromEnvironment('TINYCLOUD_SIMULATED_HISTORIES', 200)
const firstSeed = chooseSeed()

it.each(Array.from({ length: HISTORIES }, (_, index) => (firstSeed + index) >>> 0))(
  'what was answered survives, and nothing else happens (seed %i)',
  async (seed) => {
    const history = new History(createRandom(seed))
    try {
      await inMemoryDirectory((directory) => history.run(directory))
    } catch (error) {
      throw new Error(`seed ${seed}, crashes ${history.crashes.join('; ')}`, { cause: error })
    }
    expect(history.crashes).toHaveLength(LIVES_PER_HISTORY)
  },
)
