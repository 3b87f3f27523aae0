/** A fresh directory for each test of a file, removed after it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'

/** Call at the top of a suite; inside a test the returned function gives the directory, an absolute path. */
export function useTemporaryDirectory(): () => string {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tinycloud-test-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  return () => directory
}
