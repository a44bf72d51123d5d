import { expect, test } from 'vitest'
import { createProgress } from '#app/commands/progress.ts'

function terminal(isTTY: boolean) {
  const written: string[] = []
  return { written, stream: { isTTY, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream }
}

test('on a terminal a bar shows how far it is and how long it will take: three more times the 20 s so far', () => {
  const { written, stream } = terminal(true)
  const progress = createProgress('Playing', stream)
  progress.show(50, 200)
  progress.clear()
  expect(written[0]).toMatch(/^\rPlaying \[#{8} {22}\] 25 %(, about 1 s left)?$/)
  expect(written[1]?.trim()).toBe('')
})

test('a bar that is asked a thousand times at once writes once', () => {
  const { written, stream } = terminal(true)
  const progress = createProgress('Playing', stream)
  for (let done = 0; done < 1000; done++) progress.show(done, 1000)
  expect(written.length).toBeLessThan(10)
})

test('where standard error is no terminal, nothing is written', () => {
  const { written, stream } = terminal(false)
  const progress = createProgress('Playing', stream)
  progress.show(1, 2)
  progress.clear()
  expect(written).toEqual([])
})
