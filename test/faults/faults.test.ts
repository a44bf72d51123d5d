import { expect, inject, it } from 'vitest'
import { makeTemplate } from './place.ts'
import { simulateFaults } from './simulation.ts'

/** A short set; `npm run faults -- --seeds 1000` runs the long one. A seed that fails here fails there too. */
const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1)
const url = inject('postgresUrl')
const server = { url: () => url, template: await makeTemplate(url, 'template_migrated') }

it.each(SEEDS)('seed %i', async (seed) => {
  const { problems, ...rest } = await simulateFaults(seed, server)
  console.log(JSON.stringify({ ...rest, lines: undefined }))
  expect(problems).toEqual([])
})
