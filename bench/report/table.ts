/** The figures of a run as a markdown table. */
import { type Spread } from '../compare/pairs.ts'
import { type Figure, type Target } from '../question.ts'

const HEADINGS = [
  'figure',
  'unit',
  'node',
  'limit',
  'node ÷ limit',
  'other node',
  'node ÷ other',
  'target',
  'reached',
  'remarks',
]

const toRow = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`

const number = (value: number): string => {
  if (!Number.isFinite(value)) return '–'
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}

const value = (spread: Spread | undefined): string => (spread ? number(spread.median) : '')

const share = (spread: Spread | undefined): string =>
  spread
    ? `**${spread.median.toFixed(2)}** (${spread.least.toFixed(2)}–${spread.most.toFixed(2)})`
    : ''

function reached(target: Target | undefined): string {
  if (!target) return ''
  if (target.isReached === undefined) return '?'
  return target.isReached ? 'yes' : 'no'
}

export const TABLE_HEAD: string = toRow(HEADINGS) + toRow(HEADINGS.map(() => '---'))

export const formatFigure = (figure: Figure): string =>
  toRow([
    figure.label,
    figure.unit,
    value(figure.node),
    value(figure.limit),
    share(figure.share),
    value(figure.against),
    share(figure.shareOfAgainst),
    figure.target?.text ?? '',
    reached(figure.target),
    (figure.remarks ?? []).join('; '),
  ])
