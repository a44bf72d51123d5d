import { useEffect, useState } from 'react'

/** What a streamed promise came to; `before` until then, and for good where it failed. The page is never held up by it. */
export function useResolved<Value>(promise: Promise<Value>, before: Value): Value {
  const [resolved, setResolved] = useState<{ promise: Promise<Value>; value: Value }>()
  useEffect(() => {
    let gone = false
    promise.then((value) => !gone && setResolved({ promise, value })).catch(() => undefined)
    return () => {
      gone = true
    }
  }, [promise])
  return resolved ? resolved.value : before
}
