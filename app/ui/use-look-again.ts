import { useRevalidator } from '@remix-run/react'
import { useEffect } from 'react'

const LOOK_AGAIN_MS = 1_500

/** Reads the page again every moment while something that it shows is under way and somebody looks. */
export function useLookAgain(underWay: boolean): void {
  const revalidator = useRevalidator()
  useEffect(() => {
    if (!underWay) return
    const timer = setInterval(() => {
      // Without a connection an error page would take the page's place.
      if (revalidator.state === 'idle' && navigator.onLine && !document.hidden) revalidator.revalidate()
    }, LOOK_AGAIN_MS)
    return () => clearInterval(timer)
  }, [underWay, revalidator])
}
