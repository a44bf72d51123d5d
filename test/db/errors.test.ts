import { expect, it } from 'vitest'
import { isCollision, isDatabases, isOutOfReach, isRefusal } from '#app/db/errors.server.ts'
import { describeError, nameError } from '#app/log.server.ts'

const withCode = (code: string) => Object.assign(new Error('said by the database'), { code })
const judge = (error: unknown) => [
  ...(isOutOfReach(error) ? ['out of reach'] : []),
  ...(isCollision(error) ? ['collision'] : []),
  ...(isRefusal(error) ? ['refusal'] : []),
  ...(isDatabases(error) ? ['the database’s'] : []),
]

it.each([
  ['a connection that broke', withCode('08006'), ['out of reach', 'the database’s']],
  ['a server that goes down', withCode('57P01'), ['out of reach', 'the database’s']],
  ['too many connections', withCode('53300'), ['out of reach', 'the database’s']],
  ['nobody at the address', withCode('ECONNREFUSED'), ['out of reach', 'the database’s']],
  [
    'no free connection in time',
    new Error('timeout exceeded when trying to connect'),
    ['out of reach', 'the database’s'],
  ],
  ['a row that was there already', withCode('23505'), ['collision', 'refusal', 'the database’s']],
  [
    'such a row on a node of Citus',
    Object.assign(new Error('duplicate key value violates unique constraint "lots_pkey_102037"'), { code: 'XX000' }),
    ['collision', 'refusal', 'the database’s'],
  ],
  ['a deadlock', withCode('40P01'), ['collision', 'the database’s']],
  ['a number that is too large', withCode('22003'), ['refusal', 'the database’s']],
  ['a table that is not there', withCode('42P01'), ['the database’s']],
  ['a mistake of ours', new TypeError('undefined is not a function'), []],
  ['what is no error at all', undefined, []],
])('tells %s', (_what, error, verdict) => {
  expect(judge(error)).toEqual(verdict)
})

it.each([
  ['the database’s values', withCode('23505'), 'Error 23505'],
  [
    'what Prisma was asked',
    Object.assign(new Error('email: "ann@…"'), { name: 'PrismaClientValidationError' }),
    'Prisma',
  ],
  ['text that could not be read', parseError('{"email": ann@…'), 'SyntaxError'],
])('is quiet in the log about %s', (_what, error, said) => {
  expect(describeError(error)).toMatch(new RegExp(`^${said}\\w*$`))
})

it('names the table and the constraint that refused, which are no data', () => {
  const error = Object.assign(withCode('23505'), { table: 'lots', constraint: 'lots_pkey', detail: 'Key (id)=(Ann)' })
  expect(describeError(error)).toBe('Error 23505 (lots, lots_pkey)')
})

it('says in the log what a mistake of ours is, in one line', () => {
  expect(describeError(new TypeError('no program\nfor 5'))).toBe('TypeError: no program for 5')
  expect(nameError(new TypeError('Ann'))).toBe('TypeError')
})

function parseError(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}
