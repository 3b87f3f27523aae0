/** A flame graph as one SVG file without scripts: a root per thread, callers above callees, width is time. */
import { escapeXml } from './plot.ts'

export interface Flame {
  readonly name: string
  /** Time of this frame and of all that it called. */
  readonly totalUs: number
  readonly children: readonly Flame[]
}

const WIDTH = 1400
const ROW_HEIGHT = 17
const TOP = 34
/** Narrower frames are not drawn: nobody could read them. */
const WIDTH_MIN = 0.6
const CHARACTER_WIDTH = 6.2
const COLOURS = ['#f6b26b', '#f4cd7a', '#ee9a5f', '#e8b98a', '#f0a884']

/** The same name has the same colour everywhere. */
function colourOf(name: string): string {
  let hash = 0
  for (const character of name) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0
  return COLOURS[hash % COLOURS.length] ?? 'orange'
}

interface Drawing {
  readonly scale: number
  readonly allUs: number
  readonly parts: string[]
  deepest: number
}

function draw(drawing: Drawing, flame: Flame, x: number, depth: number): void {
  const width = flame.totalUs * drawing.scale
  if (width < WIDTH_MIN) return
  drawing.deepest = Math.max(drawing.deepest, depth)
  const y = TOP + depth * ROW_HEIGHT
  const share = ((flame.totalUs / drawing.allUs) * 100).toFixed(1)
  const characters = Math.floor((width - 6) / CHARACTER_WIDTH)
  const text = characters >= 3 ? flame.name.slice(0, characters) : ''
  drawing.parts.push(
    `<g><title>${escapeXml(flame.name)}: ${(flame.totalUs / 1000).toFixed(1)} ms, ${share} %</title>` +
      `<rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${ROW_HEIGHT - 1}" fill="${colourOf(flame.name)}"/>` +
      `<text x="${(x + 3).toFixed(2)}" y="${y + 12}">${escapeXml(text)}</text></g>`,
  )
  let childX = x
  for (const child of flame.children.toSorted((left, right) => right.totalUs - left.totalUs)) {
    draw(drawing, child, childX, depth + 1)
    childX += child.totalUs * drawing.scale
  }
}

/** Hovering over a frame shows its name, its time and its share of all threads. */
export function formatFlameGraph(title: string, threads: readonly Flame[]): string {
  const allUs = threads.reduce((total, { totalUs }) => total + totalUs, 0) || 1
  const drawing: Drawing = { scale: WIDTH / allUs, allUs, parts: [], deepest: 0 }
  let x = 0
  for (const thread of threads) {
    draw(drawing, thread, x, 0)
    x += thread.totalUs * drawing.scale
  }
  const height = TOP + (drawing.deepest + 2) * ROW_HEIGHT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    `<text x="4" y="20" font-size="14">${escapeXml(title)}</text>`,
    ...drawing.parts,
    '</svg>\n',
  ].join('\n')
}
