/** Another revision of this program, as files in a directory of its own; the repository itself is only read. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { PROJECT_ROOT } from '../../test/_util/paths.ts'
import { buildProgram } from './build.ts'

const run = promisify(execFile)

/**
 * Writes the files of `revision` into `directory` and gives them their packages: those of this tree where the lockfile
 * is the same, else `npm ci` of their own. Then it is built.
 * @throws {Error} for a revision that the repository does not know
 */
export async function unpackRevision(revision: string, directory: string): Promise<string> {
  const root = path.join(directory, 'revision')
  const archive = path.join(directory, 'revision.tar')
  await mkdir(root)
  const { stdout } = await run(
    'git',
    ['rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`],
    {
      cwd: PROJECT_ROOT,
    },
  )
  await run('git', ['archive', '--output', archive, stdout.trim()], { cwd: PROJECT_ROOT })
  await run('tar', ['--extract', '--file', archive, '--directory', root])
  const [ours, theirs] = await Promise.all(
    [PROJECT_ROOT, root].map((project) =>
      readFile(path.join(project, 'package-lock.json'), 'utf8'),
    ),
  )
  if (ours === theirs)
    await symlink(path.join(PROJECT_ROOT, 'node_modules'), path.join(root, 'node_modules'))
  else await run('npm', ['ci'], { cwd: root })
  await buildProgram(root)
  return root
}
