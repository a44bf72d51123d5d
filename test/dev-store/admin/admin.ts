/** The dev store's own admin: the frame around the app, and a merchant's pages for orders and customers. */
import type { Handler } from '../server.ts'
import type { DevStore } from '../state.ts'

/** Answers /admin and /store/{name}/…. */
export function createAdmin(_options: { store: DevStore; origin: () => string }): Handler {
  return () => Promise.resolve(null)
}
