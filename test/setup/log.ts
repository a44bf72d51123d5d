import { onTestFinished, vi } from 'vitest'

/** What this process says on stderr from here to the end of the test, line by line; it is not printed. */
export function listenToLog(): string[] {
  const lines: string[] = []
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(...String(text).split('\n').filter(Boolean))
    return true
  })
  onTestFinished(() => spy.mockRestore())
  return lines
}
