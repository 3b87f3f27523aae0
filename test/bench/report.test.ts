import { describe, expect, it } from 'vitest'
import { type Flame, formatFlameGraph } from '../../bench/report/flame-graph.ts'
import { formatPlot, type Plot } from '../../bench/report/plot.ts'
import { formatFigure, TABLE_HEAD } from '../../bench/report/table.ts'

const plot = (series: Plot['series'], xScale: Plot['xScale'] = 'log'): Plot => ({
  name: 'plot',
  title: 'a < b & c',
  xLabel: 'x',
  yLabel: 'y',
  xScale,
  series,
})

describe('plots', () => {
  it('escape what they are given', () => {
    expect(formatPlot(plot([{ name: '"q"', points: [[1, 1]] }]))).toContain('a &lt; b &amp; c')
  })

  it('draw a line per series, and put larger values higher', () => {
    const svg = formatPlot(
      plot([
        {
          name: 'rising',
          points: [
            [1, 10],
            [100, 40],
          ],
        },
      ]),
    )
    const [, first, second] = /points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"/.exec(svg) ?? []
    expect(Number(second)).toBeLessThan(Number(first))
  })

  it('leave out what is no number, and series with nothing left', () => {
    const svg = formatPlot(
      plot([
        { name: 'empty', points: [[1, Number.NaN]] },
        {
          name: 'whole',
          points: [
            [0, 1],
            [10, 2],
          ],
        },
      ]),
    )
    expect(svg).not.toMatch(/NaN|Infinity|empty/)
    // The logarithm of 0 has no place on the axis.
    expect(svg.match(/<circle/g)).toHaveLength(1)
  })
})

const cells = (text: string): number => text.replaceAll('\\|', '').split('|').length

describe('the table', () => {
  it('has as many cells in every line', () => {
    const spread = { median: 1234.4, least: 1000, most: 2000 }
    const line = formatFigure({
      label: 'a|b',
      unit: '/s',
      node: spread,
      limit: spread,
      share: { median: 0.8, least: 0.7, most: 0.9 },
      target: { text: '≥ 80 %', isReached: true },
      remarks: ['one', 'two'],
    })
    expect(cells(line)).toBe(cells(TABLE_HEAD.split('\n')[0] ?? ''))
    expect(line).toContain('| 1234 |')
    expect(line).toContain('**0.80** (0.70–0.90)')
    expect(line).toContain('| yes | one; two |')
  })
})

const leaf = (name: string, totalUs: number): Flame => ({ name, totalUs, children: [] })

describe('the flame graph', () => {
  it('gives each frame the width of its time, and leaves out what nobody could see', () => {
    const main = { name: 'main', totalUs: 3000, children: [leaf('<slow>', 2000), leaf('tiny', 1)] }
    const svg = formatFlameGraph('title', [main, leaf('storage', 1000)])
    const widths = [...svg.matchAll(/width="([\d.]+)" height="16"/g)].map(([, width]) => width)
    expect(widths).toEqual(['1050.00', '700.00', '350.00'])
    expect(svg).toContain('&lt;slow&gt;: 2.0 ms, 50.0 %')
    expect(svg).not.toContain('tiny')
  })
})
