/**
 * Who made a change, in words that follow "by": "you" where it is who asks, "staff member 548380009" for a colleague. Shopify tells the app only
 * the number of a staff account; its name takes a permission (`read_users`) that few plans have. Null where it is not known, and for what
 * came with a file of members, which its reason says already.
 */
export function sayActor(actor: string | null, me: string): string | null {
  if (actor === null || actor === '' || actor.startsWith('import:')) return null
  if (actor === me) return 'you'
  if (actor === 'npm run program') return 'a command on the server'
  return actor.replace(/^user:/, 'staff member ')
}
