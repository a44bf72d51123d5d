// A worker's process, as far as it drains: told to, it works through what waits, says how fast, and waits to be told again.
import { drainInbox } from '#app/jobs/drain-inbox.ts'
import { createHelper } from '#app/jobs/helper-thread.server.ts'

const helper = createHelper()

process.on('message', () => {
  const startedAt = performance.now()
  void drainInbox({ helper }).then(({ done: orders }) => {
    process.send!({ orders, perSecond: orders / ((performance.now() - startedAt) / 1000) })
  })
})
process.on('disconnect', () => process.exit())
