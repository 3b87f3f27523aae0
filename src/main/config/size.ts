/** Sizes as people write them: `10 MiB`, `1.5GB`, or a number of bytes (reference-behaviour §5.2). */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const
const SIZE = /^(?<count>\d{1,15}(?:\.\d{1,6})?) ?(?<unit>b|[kmgtp]i?b)?$/

/** Whole bytes; undefined: not a size. Units may be in any case; those with an `i` count in 1,024. */
export function parseSize(text: string): number | undefined {
  const groups = SIZE.exec(text.toLowerCase())?.groups
  if (!groups) return undefined
  const unit = groups['unit'] ?? 'b'
  const power = UNITS.findIndex((known) => known.toLowerCase() === unit.replace('i', ''))
  const bytes = Math.floor(Number(groups['count']) * (unit.includes('i') ? 1024 : 1000) ** power)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
