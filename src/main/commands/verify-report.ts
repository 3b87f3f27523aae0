/** What a verification found, for the person who asked. */
import {
  type CheckResult,
  type StoredTotals,
  type UnconfirmedSignatures,
  type VerifyReport,
} from '../../workers/maintenance/request.ts'
import { type Damage } from '../../workers/storage/request.ts'

/** Damages that the text lists; `--json` has more. */
const DAMAGES_SHOWN_MAX = 50

export interface VerifiedPlaces {
  readonly database: string
  readonly blocks: string
}

/** Lines without their ends. */
export function formatReport(places: VerifiedPlaces, report: VerifyReport): string[] {
  const { checks, reclaimable, problems } = report
  return [
    `database  ${places.database}`,
    `blocks    ${places.blocks}`,
    ...formatServed(report),
    '',
    ...checks.filter(({ checked, problems: found }) => checked + found > 0).map(formatCheck),
    '',
    formatStored(report.stored, report.elapsedMs),
    ...formatUnconfirmed(report.unconfirmedSignatures),
    ...(reclaimable.files === 0
      ? []
      : [
          `${count(reclaimable.files, 'file')} (${formatBytes(reclaimable.bytes)}) that no row names: harmless, the node removes them.`,
        ]),
    '',
    ...formatDamages(report),
    count(problems, 'problem'),
  ]
}

function formatServed({ isServed, isQuarantined, problems }: VerifyReport): string[] {
  if (isServed)
    return [
      'A node is running here. What changed meanwhile was read again.',
      ...(problems > 0 ? ['Its scrub will meet the damage and put it into quarantine.'] : []),
    ]
  return isQuarantined ? ['The quarantine now holds what is listed here, and nothing else.'] : []
}

function formatCheck({ name, what, checked, problems }: CheckResult): string {
  const mark = problems === 0 ? '✓' : '✗'
  const found = problems === 0 ? '' : `  ${count(problems, 'problem')}`
  return `${mark} ${name.padEnd(11)}${checked.toLocaleString('en').padStart(13)}  ${what}${found}`
}

const formatUnconfirmed = ({ didWeb, contractWallets }: UnconfirmedSignatures): string[] =>
  [
    { kind: 'did:web', signatures: didWeb },
    { kind: 'contract wallets', signatures: contractWallets },
  ]
    .filter(({ signatures }) => signatures > 0)
    .map(
      ({ kind, signatures }) =>
        `${count(signatures, 'signature')} of ${kind}, which only a network can confirm: it did when they came, and is not asked again.`,
    )

function formatDamages({ damages, problems }: VerifyReport): string[] {
  if (problems === 0) return []
  const shown = damages.slice(0, DAMAGES_SHOWN_MAX).map(formatDamage)
  const hidden = problems - shown.length
  const more = hidden === 0 ? [] : [`… and ${hidden.toLocaleString('en')} more (--json lists them)`]
  return [...shown, ...more, '']
}

const formatDamage = ({ kind, rowId, reason }: Damage): string => `${kind} ${rowId}: ${reason}`

function formatStored(
  { spaces, keys, statements, packs, objects, readBytes }: StoredTotals,
  elapsedMs: number,
): string {
  const things = [
    count(spaces, 'space'),
    count(keys, 'key'),
    count(statements, 'statement'),
    count(packs, 'pack'),
    count(objects, 'large value'),
  ]
  return `${things.join(', ')}; ${formatBytes(readBytes)} of blocks read in ${(elapsedMs / 1000).toFixed(1)} s.`
}

const count = (number: number, noun: string): string =>
  `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`

function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let size = bytes
  let unit = 0
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit] ?? ''}`
}
