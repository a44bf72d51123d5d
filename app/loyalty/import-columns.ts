/**
 * Which column of another app's export holds what. Smile.io, LoyaltyLion, Yotpo and Rivo each have their own names; those that are usual are
 * recognised, and where none or several fit, the merchant matches the columns.
 */

/** What a column can hold for us. */
export const IMPORT_FIELDS = ['customer', 'email', 'points', 'tier', 'birthday', 'lastDay'] as const

/** One of {@link IMPORT_FIELDS}. */
export type ImportField = (typeof IMPORT_FIELDS)[number]

/** The place of each field's column in the file's first line, from 0; null where the file has none. */
export type ImportMapping = Record<ImportField, number | null>

/** A brought tier is kept this many months, then the rules decide: nobody is stuck in it for good. */
export const IMPORTED_TIER_MONTHS = 12

/** The apps that members are usually brought over from, by the name that members read. */
export const IMPORT_SOURCES = ['Smile.io', 'LoyaltyLion', 'Yotpo', 'Rivo'] as const

/**
 * Names in small letters without anything but letters and digits, the surest first. A plain "id" is the other app's own number and never taken
 * for Shopify's; "points spent" and "points earned" are no balance. LoyaltyLion's `merchant_id` is the "unique id of customer in your store", its
 * `points_approved` what can be spent (developers.loyaltylion.com/api/resources/customers).
 */
const NAMES: Record<ImportField, readonly string[]> = {
  customer: ['shopifycustomerid', 'shopifyid', 'shopifycustomer', 'customershopifyid', 'merchantid'],
  email: ['email', 'customeremail', 'emailaddress', 'shopifycustomeremail', 'customeremailaddress'],
  points: [
    'pointsbalance',
    'pointbalance',
    'currentpoints',
    'availablepoints',
    'pointsavailable',
    'pointsapproved',
    'approvedpoints',
    'balance',
    'points',
  ],
  tier: ['viptier', 'viptiername', 'loyaltytier', 'loyaltytiername', 'tiername', 'tier', 'level'],
  birthday: ['birthday', 'birthdate', 'dateofbirth', 'birthdaymmdd', 'birthdaymmddormmddyyyy', 'dob'],
  lastDay: [
    'pointsexpireon',
    'pointsexpiry',
    'pointsexpirydate',
    'pointsexpirationdate',
    'pointsexpireat',
    'expireson',
    'expiresat',
    'expirydate',
    'expirationdate',
  ],
}

/** The columns as far as their names tell, and whether nothing is left to ask: somebody to give points to, and one column of points. */
export function recogniseColumns(header: readonly string[]): { mapping: ImportMapping; sure: boolean } {
  const plain = header.map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ''))
  const mapping: ImportMapping = {
    customer: null,
    email: null,
    points: null,
    tier: null,
    birthday: null,
    lastDay: null,
  }
  let doubtful = false
  for (const field of IMPORT_FIELDS) {
    // The surest name that occurs; twice the same name, and only the merchant can say which is meant.
    const name = NAMES[field].find((candidate) => plain.includes(candidate))
    if (name === undefined) continue
    mapping[field] = plain.indexOf(name)
    if (plain.lastIndexOf(name) !== mapping[field]) doubtful = true
  }
  return { mapping, sure: !doubtful && isComplete(mapping) }
}

/** Whether a mapping says who gets points (a Shopify customer id or an e-mail address) and how many. */
export function isComplete(mapping: ImportMapping): boolean {
  return (mapping.customer !== null || mapping.email !== null) && mapping.points !== null
}

/** What is wrong with a mapping that somebody chose, by field; empty where it can be used. No column can hold two things. */
export function checkMapping(mapping: ImportMapping, columns: number): Partial<Record<ImportField, string>> {
  const problems: Partial<Record<ImportField, string>> = {}
  const taken = new Map<number, ImportField>()
  for (const field of IMPORT_FIELDS) {
    const place = mapping[field]
    if (place === null) continue
    if (!Number.isInteger(place) || place < 0 || place >= columns) problems[field] = 'The file has no such column'
    else if (taken.has(place)) problems[field] = 'This column is chosen for something else already'
    else taken.set(place, field)
  }
  if (mapping.points === null) problems.points = 'Choose the column that holds the points'
  if (mapping.customer === null && mapping.email === null) {
    problems.email = 'Choose the e-mail address, or the Shopify customer ID'
  }
  return problems
}
