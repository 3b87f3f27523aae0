import { defineConfig } from 'vitest/config'

/** Each project is a folder of `test/`; the suffix of a file says which service it needs. */
const project = (name: string, include: string[], timeoutMs = 20_000) => ({
  test: { name, include, testTimeout: timeoutMs, hookTimeout: timeoutMs, pool: 'forks' as const },
})

export default defineConfig({
  test: {
    projects: [
      project('unit', [
        'test/protocol/**/*.test.ts',
        'test/workers/**/*.test.ts',
        'test/main/**/*.test.ts',
        'test/bench/**/*.test.ts',
        'test/tidy.test.ts',
      ]),
      project('vectors', ['test/vectors/**/*.test.ts'], 60_000),
      project('fuzz', ['test/fuzz/**/*.test.ts'], 60_000),
      project('simulation', ['test/simulation/**/*.test.ts'], 120_000),
      project('node', ['test/node/**/*.test.ts'], 120_000),
      project('acceptance', ['test/acceptance/**/*.test.ts'], 300_000),
    ],
  },
})
