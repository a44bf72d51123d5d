import { prisma } from '#app/db/client.server.ts'

/** Answers 200 while the process can reach its database, 503 otherwise. For load balancers; says nothing about shops. */
export async function loader() {
  try {
    await prisma.$queryRaw`select 1`
    return new Response('ok\n', { headers: { 'Cache-Control': 'no-store' } })
  } catch {
    return new Response('the database does not answer\n', { status: 503, headers: { 'Cache-Control': 'no-store' } })
  }
}
