/** What is wrong with a program in the words of the forms: a problem names its field by the path of the document, a merchant knows it by its label. */
import { formatPath, type Problem } from '#app/loyalty/problems.ts'
import { readPath, type Path } from '#app/ui/draft.ts'
import { sayOccasion } from '#app/ui/reasons.ts'
import { upperFirst } from '#app/ui/words.ts'

/** The labels of the forms by where they write, `[]` for any entry of a list, and the type of a reward that has its own. Two where the form reads them as one. */
export const FIELD_LABELS: Record<string, readonly string[]> = {
  name: ['Name of the program'],
  'pointsName.one': ['One point is called'],
  'pointsName.other': ['Several are called'],
  enrolment: ['Who takes part'],
  'hold.days': ['Points of an order wait'],
  'expiry.model': ['Points expire'],
  'expiry.months': ['Points expire', 'after'],
  'earning[].points': ['Members get'],
  'earning[].per': ['for each'],
  tiers: ['Tiers'],
  'tiers.window.rollingDays': ['How many days'],
  'tiers.graceDays': ['Before a member goes down'],
  'tiers.levels[].name': ['Name'],
  'tiers.levels[].threshold': ['Reached with'],
  'tiers.levels[].multiplier': ['Points count'],
  'tiers.levels[].entryReward': ['Welcome points'],
  'tiers.levels[].discountPercent': ['Discount on every order'],
  'tiers.levels[].perks': ['Other perks, one a line'],
  'rewards[].id': ['Short name'],
  'rewards[].cost': ['Costs (points)'],
  'rewards[].value': ['Worth'],
  'rewards[].value:percentage': ['Percentage off'],
  'rewards[].perPoints': ['Every (points)'],
  'rewards[].step': ['In steps of (points)'],
  'rewards[].minimumPoints': ['At least (points)'],
  'rewards[].maximumShare': ['Pays at most'],
  'rewards[].minimumSubtotal': ['On orders from'],
  'rewards[].products': ['Only on these products'],
  'rewards[].products:product': ['Free product'],
  'rewards[].collections': ['Only on these collections'],
  'rewards[].tiers': ['Only for tiers'],
  'rewards[].limitPerMember': ['At most, per member'],
  'rewards[].validDays': ['Code works for'],
  'campaigns[].name': ['Name'],
  'campaigns[].from': ['Starts'],
  'campaigns[].until': ['Ends'],
  'campaigns[].offer': ['Offer'],
  'campaigns[].offer.percentage': ['Percentage'],
  'campaigns[].offer.amount': ['Amount'],
  'campaigns[].offer.pointsMultiplier': ['Points count'],
  'campaigns[].offer.bands[].from': ['From'],
  'campaigns[].offer.bands[].percentage': ['Discount'],
  'campaigns[].audience.tiers': ['Only for tiers'],
  'campaigns[].audience.segments': ['Only for some segments'],
  'campaigns[].products': ['Only these products'],
  'campaigns[].collections': ['Only these collections'],
  'campaigns[].minimumSubtotal': ['On carts from'],
  'campaigns[].budget': ['Give at most'],
  'campaigns[].holdOut': ['Hold out'],
}

/**
 * A problem as one sentence for whoever looks at a form: the entry's name, the field's label, and what is wrong.
 * `sayProblem({ path: ['tiers', 'levels', 2, 'threshold'], … }, document)` → "Gold: Reached with must be above …".
 */
export function sayProblem({ path, field, message }: Problem, document: unknown): string {
  // Not a field of the document: its message is a whole sentence.
  if (path.length === 0 || field === 'overrideReason') return message
  const inEntry = LISTS.has(String(path[0])) ? path.findIndex((part) => typeof part === 'number') + 1 : 0
  if (inEntry === 0) return `${findLabel(path, inEntry) ?? field} ${sayPlainly(message)}`
  const entry = (readPath(document, path.slice(0, inEntry)) ?? {}) as Entry
  // What no form writes keeps its place in the entry.
  const label = findLabel(path, inEntry, entry) ?? formatPath(path.slice(inEntry))
  return `${nameEntry(path, entry)}${label && `: ${label}`} ${sayPlainly(message)}`
}

/** A problem as it stands beside its field, which says by itself what is meant: "Must be above 0, not "0"", "This is missing". */
export function sayBeside({ message }: Problem): string {
  const plain = sayPlainly(message)
  if (plain === 'is missing' || plain === 'must not be empty') return 'This is missing'
  return upperFirst(plain)
}

/** A message without what is for whoever writes the document by hand: other fields in place of a missing one, and times as it has them. */
function sayPlainly(message: string): string {
  return message.replace(/^is missing: .*/, 'is missing').replaceAll(/"?(\d{4}-\d\d-\d\d)T(\d\d:\d\d)"?/g, '$1 $2')
}

/** Of the field itself, else of what it is a part of: one wrong tier of a list is wrong in "Only for tiers". */
function findLabel(path: Path, least: number, entry?: Entry): string | undefined {
  for (let end = path.length; end > least; end--) {
    const place = formatPath(path.slice(0, end)).replaceAll(/\[\d+\]/g, '[]')
    const words = FIELD_LABELS[`${place}:${textOf(entry?.type)}`] ?? FIELD_LABELS[place]
    if (words) return words.join(' ')
  }
  return undefined
}

/** Lists whose entries have a name that a merchant knows. */
const LISTS: ReadonlySet<string> = new Set(['earning', 'tiers', 'rewards', 'campaigns'])

type Entry = Record<string, unknown>

/** A tier and a campaign have names, with the step of its discount; a reward has its short name, a rule what it is for. */
function nameEntry(path: Path, entry: Entry): string {
  const step = path.indexOf('bands') + 1
  switch (path[0]) {
    case 'tiers':
      return textOf(entry.name) || 'New tier'
    case 'campaigns':
      return (
        (textOf(entry.name) || 'New campaign') +
        (step > 0 && step < path.length ? `, step ${Number(path[step]) + 1}` : '')
      )
    case 'earning':
      return sayOccasion(textOf(entry.on))
    default:
      return textOf(entry.id) || 'New reward'
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
