import { Text, useBreakpoints } from '@shopify/polaris'
import { useId, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'

import { showCount } from '#app/ui/words.ts'

/** One place along the foot of a chart. A value of null leaves a gap: there is nothing to say. */
export type ChartPoint = {
  label: string
  value: number | null
  /** The value in words. */
  text: string
}

type ChartProps = {
  /** What the chart shows, in a sentence: it is read out in place of the drawing. */
  title: string
  points: ChartPoint[]
  /** The top of the scale; by default the least round number that is not below any value. */
  highest?: number
  /** How the scale on the left is written; whole numbers by default. */
  show?: (value: number) => string
}

const WIDTH = 720
/** On a phone a drawing of half the width is scaled half as much, so that its labels stay readable. */
const PHONE_WIDTH = 360
const HEIGHT = 220
const LEFT = 46
const RIGHT = 10
const FOOT = 24
const TOP = 30
const DARK = 'var(--p-color-bg-fill-brand, #303030)'
const PALE = '#767676'

/**
 * Bars in plain SVG: drawn on the server, in tones that stay apart in greyscale and in print. Arrow keys go from bar to bar and each says
 * what it is, as hovering does; the same numbers stand in a table.
 */
export function BarChart(props: ChartProps) {
  const layout = useLayout(props.points, [], props.highest)
  return (
    <Frame {...props} layout={layout}>
      {props.points.map((point, place) => {
        const y = layout.y(point.value ?? 0)
        return (
          <rect
            key={point.label}
            x={layout.x(place) - layout.step * 0.4}
            y={y}
            width={layout.step * 0.8}
            height={HEIGHT - FOOT - y}
            fill={DARK}
          />
        )
      })}
    </Frame>
  )
}

type LineChartProps = ChartProps & {
  /** What the line is called where there is another one. */
  name?: string
  /** A second line to compare with, drawn dashed with hollow marks. */
  compare?: { name: string; points: ChartPoint[] }
}

/** A line with a mark at each value; read and walked through like bars. */
export function LineChart({ name, compare, ...props }: LineChartProps) {
  const layout = useLayout(props.points, compare?.points ?? [], props.highest)
  const spoken = compare
    ? props.points.map((point, place) => ({
        ...point,
        text: `${name ? `${name} ` : ''}${point.text}, ${compare.name} ${compare.points[place]?.text ?? '—'}`,
      }))
    : props.points
  return (
    <>
      <Frame {...props} points={spoken} layout={layout}>
        <Line points={props.points} layout={layout} />
        {compare && <Line points={compare.points} layout={layout} dashed />}
      </Frame>
      {compare && name && (
        <Text as="p" variant="bodySm" tone="subdued">
          {`Line with filled marks: ${name}. Dashed, with hollow marks: ${compare.name}.`}
        </Text>
      )}
    </>
  )
}

type Layout = {
  width: number
  step: number
  ticks: number[]
  x: (place: number) => number
  y: (value: number) => number
}

function useLayout(points: ChartPoint[], others: ChartPoint[], highest?: number): Layout {
  const width = useBreakpoints().smDown ? PHONE_WIDTH : WIDTH
  const step = (width - LEFT - RIGHT) / Math.max(1, points.length)
  const top = highest ?? roundUp(Math.max(0, ...[...points, ...others].map(({ value }) => value ?? 0)))
  return {
    ...{ width, step },
    ticks: [0, top / 2, top],
    x: (place) => LEFT + (place + 0.5) * step,
    y: (value) => HEIGHT - FOOT - Math.max(0, value / top) * (HEIGHT - FOOT - TOP),
  }
}

/** The least of 1, 2, 4, 6, 10, 20, … that is not below a value: its half is a round number too. */
function roundUp(value: number): number {
  if (value <= 0) return 1
  const unit = 10 ** Math.floor(Math.log10(value))
  return (([1, 2, 4, 6, 10] as const).find((round) => round * unit >= value) ?? 10) * unit
}

function Line({ points, layout, dashed = false }: { points: ChartPoint[]; layout: Layout; dashed?: boolean }) {
  const places = points.map(({ value }, place) =>
    value === null ? null : ([layout.x(place), layout.y(value)] as const),
  )
  const tone = dashed ? PALE : DARK
  return (
    <>
      <path
        d={drawPath(places)}
        fill="none"
        stroke={tone}
        strokeWidth={2}
        strokeDasharray={dashed ? '6 5' : undefined}
      />
      {places.map((place, index) =>
        place ? (
          <circle
            key={points[index]!.label}
            cx={place[0]}
            cy={place[1]}
            r={dashed ? 2.5 : 3.5}
            fill={dashed ? '#fff' : tone}
            stroke={tone}
            strokeWidth={1.5}
          />
        ) : null,
      )}
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

type FrameProps = ChartProps & { layout: Layout; children: ReactNode }

function Frame({ title, points, show = showCount, layout, children }: FrameProps) {
  const id = useId()
  const [said, setSaid] = useState<number | null>(null)
  return (
    <svg
      viewBox={`0 0 ${layout.width} ${HEIGHT}`}
      role="group"
      aria-labelledby={id}
      style={{ display: 'block', width: '100%', maxWidth: '60rem', height: 'auto' }}
      onMouseLeave={() => setSaid(null)}
    >
      <title id={id}>{title}</title>
      <g aria-hidden="true">
        {layout.ticks.map((tick) => (
          <g key={tick}>
            <line
              x1={LEFT}
              x2={layout.width - RIGHT}
              y1={layout.y(tick)}
              y2={layout.y(tick)}
              stroke={tick === 0 ? '#8a8a8a' : '#dcdcdc'}
            />
            <text x={LEFT - 6} y={layout.y(tick) + 4} textAnchor="end" fontSize={11} fill={SUBDUED}>
              {show(tick)}
            </text>
          </g>
        ))}
        {children}
        <Foot points={points} layout={layout} />
        {said !== null && <Said point={points[said]!} x={layout.x(said)} width={layout.width} />}
      </g>
      <Columns points={points} layout={layout} onSaid={setSaid} />
    </svg>
  )
}

const SUBDUED = 'var(--p-color-text-secondary, #616161)'

/** What the pointed or focused place is, written above it. */
function Said({ point, x, width }: { point: ChartPoint; x: number; width: number }) {
  const text = `${point.label}: ${point.text}`
  // About half the width of the words, so that they stay inside.
  const half = text.length * 3
  return (
    <>
      <line x1={x} x2={x} y1={TOP - 8} y2={HEIGHT - FOOT} stroke={PALE} strokeDasharray="2 3" />
      <text
        x={Math.min(width - RIGHT - half, Math.max(half, x))}
        y={14}
        textAnchor="middle"
        fontSize={12}
        fontWeight={600}
        fill="var(--p-color-text, #303030)"
      >
        {text}
      </text>
    </>
  )
}

type ColumnsProps = { points: ChartPoint[]; layout: Layout; onSaid: (place: number | null) => void }

/** One column over each place, for the pointer and the keyboard: the chart is one stop for the Tab key, arrows go on from there. */
function Columns({ points, layout, onSaid }: ColumnsProps) {
  const [at, setAt] = useState(0)
  const columns = useRef<(SVGRectElement | null)[]>([])
  const go = (event: KeyboardEvent) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: points.length - 1 }[event.key]
    if (to === undefined || to < 0 || to >= points.length) return
    event.preventDefault()
    setAt(to)
    columns.current[to]?.focus()
  }
  return points.map(({ label, text }, place) => (
    <rect
      key={label}
      ref={(column) => {
        columns.current[place] = column
      }}
      x={layout.x(place) - layout.step / 2}
      y={TOP - 8}
      width={layout.step}
      height={HEIGHT - FOOT - TOP + 8}
      fill="transparent"
      role="img"
      aria-label={`${label}: ${text}`}
      tabIndex={place === at ? 0 : -1}
      onKeyDown={go}
      onFocus={() => {
        setAt(place)
        onSaid(place)
      }}
      onBlur={() => onSaid(null)}
      onMouseEnter={() => onSaid(place)}
    />
  ))
}

/** As many labels as fit without touching, the last one always, and inside the drawing. */
function Foot({ points, layout: { x, step, width } }: { points: ChartPoint[]; layout: Layout }) {
  const every = Math.max(1, Math.ceil(64 / step))
  return points.map(({ label }, place) => {
    if ((points.length - 1 - place) % every !== 0) return null
    const half = label.length * 3
    return (
      <text
        key={label}
        x={Math.min(x(place), width - half)}
        y={HEIGHT - 7}
        textAnchor="middle"
        fontSize={11}
        fill={SUBDUED}
      >
        {label}
      </text>
    )
  })
}
