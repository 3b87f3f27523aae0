/** Line plots as SVG, without a library: axes, ticks, one line and one colour per series. */
export interface Series {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Plot {
  /** Of the file. */
  readonly name: string
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly xScale: 'linear' | 'log'
  readonly series: readonly Series[]
}

const WIDTH = 760
const HEIGHT = 420
const LEFT = 70
const RIGHT = 170
const TOP = 46
const BOTTOM = 56
const TICKS = 5
const COLOURS = ['#0b6e4f', '#c8553d', '#3a5a98', '#8a6d1f', '#7b3f8c', '#4a4a4a']

export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

const label = (value: number): string =>
  value >= 1000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)))

/** The smallest of 1, 2, 5 times a power of ten that is at least `value`. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power
}

interface Frame {
  readonly x: (value: number) => number
  readonly y: (value: number) => number
  readonly yStep: number
}

function createFrame({ xScale, series }: Plot): Frame {
  const xs = series.flatMap(({ points }) => points.map(([x]) => x))
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y))
  const place = (x: number): number => (xScale === 'log' ? Math.log10(x) : x)
  const from = xScale === 'log' ? place(Math.min(...xs)) : 0
  const width = place(Math.max(...xs)) - from || 1
  const yStep = roundUp(Math.max(...ys, Number.MIN_VALUE) / TICKS)
  return {
    x: (value) => LEFT + ((place(value) - from) / width) * (WIDTH - LEFT - RIGHT),
    y: (value) => HEIGHT - BOTTOM - (value / (yStep * TICKS)) * (HEIGHT - TOP - BOTTOM),
    yStep,
  }
}

/** Values of a logarithmic scale are few and chosen; a linear one gets round steps. */
function chooseXTicks(series: readonly Series[], xScale: Plot['xScale']): readonly number[] {
  const xs = [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))]
  if (xScale === 'log') return xs
  const most = Math.max(...xs)
  const step = roundUp(most / TICKS)
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step)
}

const text = (x: number, y: number, anchor: string, content: string): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeXml(content)}</text>`

function drawSeries({ name, points }: Series, index: number, { x, y }: Frame): string {
  const colour = COLOURS[index % COLOURS.length] ?? 'black'
  const places = points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`)
  const dots = places.map((place) => {
    const [cx = '', cy = ''] = place.split(',')
    return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`
  })
  const legendY = TOP + 8 + index * 20
  return [
    `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.join(' ')}"/>`,
    ...dots,
    `<rect x="${WIDTH - RIGHT + 16}" y="${legendY - 8}" width="12" height="4" fill="${colour}"/>`,
    text(WIDTH - RIGHT + 34, legendY - 2, 'start', name),
  ].join('\n')
}

/** A whole SVG file. Points that are no finite numbers are left out, and so are series without points. */
export function formatPlot(plot: Plot): string {
  const isDrawable = ([x, y]: readonly [number, number]): boolean =>
    Number.isFinite(x) && Number.isFinite(y) && (plot.xScale === 'linear' || x > 0)
  const series = plot.series
    .map(({ name, points }) => ({ name, points: points.filter(isDrawable) }))
    .filter(({ points }) => points.length > 0)
  const frame = createFrame({ ...plot, series })
  const xTicks = chooseXTicks(series, plot.xScale)
  const yTicks = Array.from({ length: TICKS + 1 }, (_, index) => index * frame.yStep)
  const bottom = HEIGHT - BOTTOM
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<g font-size="15">${text(LEFT, 24, 'start', plot.title)}</g>`,
    ...yTicks.map((value) => {
      const y = frame.y(value)
      const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#ddd"/>`
      return `${line}${text(LEFT - 8, y + 4, 'end', label(value))}`
    }),
    ...xTicks.map((value) => text(frame.x(value), bottom + 18, 'middle', label(value))),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, 'middle', plot.xLabel),
    `<g transform="rotate(-90 18 ${HEIGHT / 2})">${text(18, HEIGHT / 2, 'middle', plot.yLabel)}</g>`,
    ...series.map((one, index) => drawSeries(one, index, frame)),
    '</svg>\n',
  ].join('\n')
}
