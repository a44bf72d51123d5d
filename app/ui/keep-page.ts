import { isRouteErrorResponse, type ClientActionFunctionArgs, type ShouldRevalidateFunction } from '@remix-run/react'
import { useEffect } from 'react'

/** What a form is told where nobody answered it, in the shapes in which the admin's forms hear of refusals. */
type Unanswered = { ok: false; message: string; errors: { form: string } }

const UNANSWERED = 503
const NO_ANSWER =
  'The app could not be reached, or had a problem. Nothing you typed is lost: check your connection and try again.'

/**
 * A route's `clientAction`. Without it a request that does not arrive would put an error page in the place of what somebody has filled in.
 */
export function keepPage({ serverAction }: ClientActionFunctionArgs) {
  return askServer<unknown, Unanswered>(serverAction, (message) => ({ ok: false, message, errors: { form: message } }))
}

/**
 * The server's answer; where none came, or one that nobody meant, what `otherwise` makes of a sentence about it. Rejects with what pages are
 * there for: refusals that take the page's place, and Shopify's sign-in steps.
 */
export async function askServer<Reply, Otherwise>(
  serverAction: () => Promise<Reply>,
  otherwise: (message: string) => Otherwise,
): Promise<Reply | Response> {
  try {
    return await serverAction()
  } catch (error) {
    if (error instanceof Response || isRouteErrorResponse(error)) throw error
    // Remix forgets the status of anything but a Response.
    return Response.json(otherwise(NO_ANSWER), { status: UNANSWERED })
  }
}

/**
 * A route's `shouldRevalidate`, for the admin's frame and pages with forms: where a form was not answered, the page would not be either. After any
 * other answer, refusals as well, it is read again.
 */
export const keepUnanswered: ShouldRevalidateFunction = ({ actionStatus, defaultShouldRevalidate }) =>
  actionStatus !== UNANSWERED && defaultShouldRevalidate

/** Routes without a page, to which several pages' forms are sent. */
const FORMS_ONLY = ['app.program.publish', 'app.program.reminders', 'app.retention.list', 'app.tiers.preview']

/** Fetches the code of routes that only forms are sent to: once the app cannot be reached, neither can their `clientAction`. */
export function useFormRoutes(): void {
  useEffect(() => {
    for (const name of FORMS_ONLY) {
      // The next form that is sent tries again.
      import(/* @vite-ignore */ window.__remixManifest.routes[`routes/${name}`]!.module).catch(() => {})
    }
  }, [])
}
