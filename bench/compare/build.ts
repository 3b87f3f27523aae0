/** What users run is the built program: sources would measure how Node strips their types, in each thread. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Compiles the program of a tree that has its packages. @throws {Error} with what the compiler said */
export async function buildProgram(projectRoot: string): Promise<void> {
  await run('npm', ['run', 'build'], { cwd: projectRoot })
}
