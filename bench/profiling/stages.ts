/** Which stage of a request a file belongs to, for the table of time per stage. */
import { type SelfTime } from './cpu-profile.ts'

/** The first that matches; files are named as in `nameFile` of cpu-profile.ts. */
const STAGES: readonly (readonly [pattern: RegExp, stage: string])[] = [
  [/^\(garbage collector\)/, 'garbage collection'],
  [/^\(/, 'native code and system calls'],
  [
    /^src\/protocol\/crypto\/|^(@noble|sodium-native|secp256k1|@napi-rs)\//,
    'signatures and hashes',
  ],
  [
    /^src\/protocol\/packed|^src\/workers\/[^/]+\/(request|command-codec)\./,
    'messages between threads',
  ],
  [/^src\/protocol\//, 'tokens and rules'],
  [
    /^src\/main\/http\/|^(fastify|find-my-way|avvio|light-my-request)|^node:.*(http|net|stream)/,
    'HTTP',
  ],
  [/^src\/main\//, 'admission, lanes and dispatch'],
  [/^src\/workers\/compute\//, 'reads and planning'],
  [/^src\/workers\/storage\//, 'decisions and groups'],
  [/^src\/workers\/database\/|^better-sqlite3\//, 'SQL'],
  [/^src\/workers\/blocks\/|^node:(internal\/)?fs\b/, 'packs and files'],
  [/^(node:|piscina)/, 'Node and the pool'],
]

const OTHER = 'other'

/** Self time by stage, largest first. */
export function sumByStage(files: readonly SelfTime[]): SelfTime[] {
  const totals = new Map<string, number>()
  for (const { name, selfUs } of files) {
    const stage = STAGES.find(([pattern]) => pattern.test(name))?.[1] ?? OTHER
    totals.set(stage, (totals.get(stage) ?? 0) + selfUs)
  }
  return [...totals]
    .map(([name, selfUs]) => ({ name, selfUs }))
    .toSorted((left, right) => right.selfUs - left.selfUs)
}
