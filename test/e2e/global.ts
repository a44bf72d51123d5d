import { buildIfStale } from '#test/dev-store/build.ts'

/** The browser tests look at the built pages, as a merchant would. */
export default async function setup(): Promise<void> {
  await buildIfStale()
}
