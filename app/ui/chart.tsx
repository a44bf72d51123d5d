import { useBreakpoints } from '@shopify/polaris'
import { useId } from 'react'

/** One place along the foot of a chart. A value of null leaves a gap: there is nothing to say. */
export type ChartPoint = {
  label: string
  value: number | null
  /** The value in words, for the tooltip. */ text: string
}

type ChartProps = {
  /** What the chart shows, in a sentence: it is read out in place of the drawing. */
  title: string
  points: ChartPoint[]
  /** The top of the scale; by default the largest value. */
  highest?: number
  /** A second line or set of marks to compare with, drawn dashed. */
  compare?: { name: string; points: ChartPoint[] }
}

const WIDTH = 720
/** On a phone a drawing of half the width is scaled half as much, so that its labels stay readable. */
const PHONE_WIDTH = 360
const HEIGHT = 220
const LEFT = 8
const FOOT = 24
const TOP = 18

/**
 * Bars in plain SVG: drawn on the server, one dark tone that stays apart from the page in greyscale and in print. The same numbers
 * stand in a table beside every chart, which is what keyboards and screen readers go through.
 */
export function BarChart({ title, points, highest }: ChartProps) {
  const width = useWidth()
  const top = highest ?? largest(points)
  const step = (width - 2 * LEFT) / Math.max(1, points.length)
  return (
    <Frame title={title} width={width}>
      {points.map((point, place) => {
        const height = scaled(point.value ?? 0, top)
        return (
          <rect
            key={point.label}
            x={LEFT + place * step + step * 0.1}
            y={HEIGHT - FOOT - height}
            width={step * 0.8}
            height={height}
            fill="var(--p-color-bg-fill-brand, #303030)"
          >
            <title>{`${point.label}: ${point.text}`}</title>
          </rect>
        )
      })}
      <Foot points={points} step={step} />
    </Frame>
  )
}

/** A line with a mark at each value; a second, dashed line where there is something to compare with. */
export function LineChart({ title, points, highest, compare }: ChartProps) {
  const top = highest ?? Math.max(largest(points), largest(compare?.points ?? []))
  const width = useWidth()
  const step = (width - 2 * LEFT) / Math.max(1, points.length)
  return (
    <Frame title={title} width={width}>
      {compare && <Line points={compare.points} top={top} step={step} dashed name={compare.name} />}
      <Line points={points} top={top} step={step} />
      <Foot points={points} step={step} />
    </Frame>
  )
}

type LineProps = { points: ChartPoint[]; top: number; step: number; dashed?: boolean; name?: string }

function Line({ points, top, step, dashed = false, name }: LineProps) {
  const at = (place: number, value: number) =>
    [LEFT + (place + 0.5) * step, HEIGHT - FOOT - scaled(value, top)] as const
  const path = drawPath(points.map(({ value }, place) => (value === null ? null : at(place, value))))
  const tone = dashed ? '#767676' : 'var(--p-color-bg-fill-brand, #303030)'
  return (
    <>
      <path d={path} fill="none" stroke={tone} strokeWidth={2} strokeDasharray={dashed ? '6 5' : undefined} />
      {points.map(({ label, value, text }, place) => {
        if (value === null) return null
        const [x, y] = at(place, value)
        return (
          <circle key={label} cx={x} cy={y} r={3.5} fill={dashed ? '#fff' : tone} stroke={tone} strokeWidth={1.5}>
            <title>{`${name ? `${name}, ` : ''}${label}: ${text}`}</title>
          </circle>
        )
      })}
    </>
  )
}

/** A path through the places, interrupted where there is none. */
function drawPath(places: (readonly [number, number] | null)[]): string {
  return places
    .map((place, index) => {
      if (!place) return ''
      return `${places[index - 1] ? 'L' : 'M'}${place[0].toFixed(1)} ${place[1].toFixed(1)}`
    })
    .join('')
}

function useWidth(): number {
  return useBreakpoints().smDown ? PHONE_WIDTH : WIDTH
}

function Frame({ title, width, children }: { title: string; width: number; children: React.ReactNode }) {
  const id = useId()
  return (
    <svg
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-labelledby={id}
      style={{ width: '100%', maxWidth: '60rem', height: 'auto' }}
    >
      <title id={id}>{title}</title>
      <line x1={LEFT} x2={width - LEFT} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} stroke="#8a8a8a" />
      {children}
    </svg>
  )
}

/** As many labels as fit without touching, the last one always. */
function Foot({ points, step }: { points: ChartPoint[]; step: number }) {
  const every = Math.max(1, Math.ceil(64 / step))
  return points.map(({ label }, place) =>
    (points.length - 1 - place) % every === 0 ? (
      <text
        key={label}
        x={LEFT + (place + 0.5) * step}
        y={HEIGHT - 7}
        textAnchor="middle"
        fontSize={11}
        fill="var(--p-color-text-secondary, #616161)"
      >
        {label}
      </text>
    ) : null,
  )
}

function largest(points: ChartPoint[]): number {
  return Math.max(0, ...points.map(({ value }) => value ?? 0))
}

function scaled(value: number, top: number): number {
  return top <= 0 ? 0 : Math.max(0, (value / top) * (HEIGHT - FOOT - TOP))
}
