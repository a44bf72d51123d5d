import { expect, it } from 'vitest'
import { simulateFaults } from './simulation.ts'

/** A short set; `npm run faults -- --seeds 1000` runs the long one. A seed that fails here fails there too. */
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1)

it.each(SEEDS)(
  'seed %i: duplicates, disorder, delays, drops, crashes and two workers end in the engine’s balances',
  async (seed) => {
    const { problems } = await simulateFaults(seed)
    expect(problems).toEqual([])
  },
)
