// The thread of a helper (helper-thread.server.ts): drains what it is asked to, answers, and ends when it is told to.
import { parentPort } from 'node:worker_threads'
import { closeDatabase } from '#app/db/client.server.ts'
import { codeOf } from '#app/db/errors.server.ts'
import { drainShop } from '#app/jobs/drain-inbox.ts'
import type { Answer, Question } from '#app/jobs/helper-thread.server.ts'

const port = parentPort!

port.on('message', (question: Question | 'stop') => {
  if (question === 'stop') void stop()
  else void answer(question)
})

async function answer({ id, shopId }: Question): Promise<void> {
  try {
    port.postMessage({ id, drained: await drainShop(shopId) } satisfies Answer)
  } catch (error) {
    const { message, stack } = error as Error
    port.postMessage({ id, error: { message, stack, code: codeOf(error) } } satisfies Answer)
  }
}

async function stop(): Promise<void> {
  await closeDatabase()
  process.exit(0)
}
