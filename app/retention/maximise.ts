/**
 * The top of a smooth likelihood, found the same way every time: Newton's method with the damping of Levenberg and
 * Marquardt, from several fixed starts, in the logarithms of the parameters (so that they stay positive).
 *
 * The gradient is given, the second derivatives are central differences of it. No chance is involved: the same data
 * give the same parameters to the last bit. (fmin 0.0.4 was judged for this: its Nelder-Mead throws a ReferenceError
 * whenever the simplex has to shrink, and a simplex leaves the parameters known to three places only.)
 */

/** A log-likelihood at `theta` (logarithms of the parameters); fills `gradient` with its derivatives by `theta`. */
export type LogLikelihood = (theta: Float64Array, gradient: Float64Array) => number

/** Where the climb ended. `inside` is false where the likelihood has no top within the bounds: some parameter is at their edge. */
export type Maximum = { theta: Float64Array; value: number; inside: boolean }

/** A parameter that runs past e^±BOUND is one that the data do not hold: without any drop-out, say, or with everybody alike. */
const BOUND = 12
const LARGEST_STEP = 1.5
const GRADIENT_TOLERANCE = 1e-9

/**
 * The highest of the tops reached from `starts`, each a list of logarithms of parameters; ties go to the earlier start.
 * `scale` is the number of observations: the gradient is called flat below 1e-9 of it.
 */
export function maximise(logLikelihood: LogLikelihood, starts: number[][], scale: number): Maximum {
  let best: Maximum | undefined
  for (const start of starts) {
    const found = climb(logLikelihood, Float64Array.from(start), scale)
    if (!best || found.value > best.value + 1e-9 * Math.abs(best.value)) best = found
  }
  if (!best) throw new Error('maximise: no start was given')
  return best
}

function climb(logLikelihood: LogLikelihood, start: Float64Array, scale: number): Maximum {
  const size = start.length
  let theta = start
  let gradient = new Float64Array(size)
  let value = logLikelihood(theta, gradient)
  let damping = 1e-3
  for (let iteration = 0; iteration < 200; iteration++) {
    const free = freeCoordinates(theta, gradient)
    const slope = gradient.map((entry, index) => (free[index] ? entry : 0))
    if (largest(slope) <= GRADIENT_TOLERANCE * scale) break
    const curvature = hold(negativeHessian(logLikelihood, theta), free)
    let moved = false
    while (damping < 1e12) {
      const step = solveDamped(curvature, slope, damping)
      if (step) {
        const next = bounded(theta, step)
        const nextGradient = new Float64Array(size)
        const nextValue = logLikelihood(next, nextGradient)
        if (nextValue > value || (nextValue === value && largest(nextGradient) < largest(gradient))) {
          ;[theta, gradient, value] = [next, nextGradient, nextValue]
          damping = Math.max(damping / 10, 1e-12)
          moved = true
          break
        }
      }
      damping = Math.max(damping * 4, 1e-9)
    }
    // Nothing higher within reach: the top, to the precision of the arithmetic, or the edge of the bounds.
    if (!moved) break
  }
  return { theta, value, inside: theta.every((logarithm) => Math.abs(logarithm) < BOUND) }
}

/** A coordinate at the edge of the bounds that wants to go further out is held there; the others go on. */
function freeCoordinates(theta: Float64Array, gradient: Float64Array): boolean[] {
  return Array.from(theta, (logarithm, index) => Math.abs(logarithm) < BOUND || logarithm * gradient[index]! < 0)
}

function hold(matrix: Float64Array[], free: boolean[]): Float64Array[] {
  return matrix.map((row, index) =>
    row.map((entry, column) => (free[index] && free[column] ? entry : index === column ? 1 : 0)),
  )
}

function largest(vector: Float64Array): number {
  let most = 0
  for (const entry of vector) most = Math.max(most, Math.abs(entry))
  return most
}

/** theta + step, the step shortened to a length that second derivatives can speak for, the result kept in bounds. */
function bounded(theta: Float64Array, step: Float64Array): Float64Array {
  const shorten = Math.min(1, LARGEST_STEP / Math.max(largest(step), 1e-300))
  return theta.map((logarithm, index) => Math.min(BOUND, Math.max(-BOUND, logarithm + shorten * step[index]!)))
}

function negativeHessian(logLikelihood: LogLikelihood, theta: Float64Array): Float64Array[] {
  const size = theta.length
  const reach = 1e-4
  const rows = Array.from({ length: size }, () => new Float64Array(size))
  const above = new Float64Array(size)
  const below = new Float64Array(size)
  for (let column = 0; column < size; column++) {
    const moved = Float64Array.from(theta)
    moved[column] = theta[column]! + reach
    logLikelihood(moved, above)
    moved[column] = theta[column]! - reach
    logLikelihood(moved, below)
    for (let row = 0; row < size; row++) rows[row]![column] = -(above[row]! - below[row]!) / (2 * reach)
  }
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < row; column++) {
      const mean = (rows[row]![column]! + rows[column]![row]!) / 2
      rows[row]![column] = mean
      rows[column]![row] = mean
    }
  }
  return rows
}

/** The step (A + damping · scale) s = g by Cholesky's decomposition; null where that matrix is not positive definite. */
function solveDamped(matrix: Float64Array[], right: Float64Array, damping: number): Float64Array | null {
  const size = right.length
  const scale = Math.max(...matrix.map((row, index) => Math.abs(row[index]!)), 1e-12)
  const lower = matrix.map((row) => Float64Array.from(row))
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]![column]! + (row === column ? damping * scale : 0)
      for (let inner = 0; inner < column; inner++) sum -= lower[row]![inner]! * lower[column]![inner]!
      if (row !== column) lower[row]![column] = sum / lower[column]![column]!
      else if (sum > 0) lower[row]![row] = Math.sqrt(sum)
      else return null
    }
  }
  const step = Float64Array.from(right)
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < row; inner++) step[row]! -= lower[row]![inner]! * step[inner]!
    step[row]! /= lower[row]![row]!
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let inner = row + 1; inner < size; inner++) step[row]! -= lower[inner]![row]! * step[inner]!
    step[row]! /= lower[row]![row]!
  }
  return step.every(Number.isFinite) ? step : null
}
