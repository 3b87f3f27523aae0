/**
 * Writes the files of `test/vectors/own`: `node test/_util/own-vectors/write.ts`.
 *
 * A case that is there is a promise to other implementations: change one only with the rule that it shows.
 */
import { writeFile } from 'node:fs/promises'
import { formatSuite, OWN_SUITES } from './suites.ts'

const FOLDER = new URL('../../vectors/own/', import.meta.url)

for (const suite of OWN_SUITES) {
  await writeFile(new URL(`${suite.suite}.json`, FOLDER), formatSuite(suite))
  console.log(`${suite.suite}: ${suite.cases.length} cases`)
}
