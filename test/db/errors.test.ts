import { expect, it } from 'vitest'
import { isCollision, isDatabases, isOutOfReach, isRefusal } from '#app/db/errors.server.ts'

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
  ['a deadlock', withCode('40P01'), ['collision', 'the database’s']],
  ['a number that is too large', withCode('22003'), ['refusal', 'the database’s']],
  ['a table that is not there', withCode('42P01'), ['the database’s']],
  ['a mistake of ours', new TypeError('undefined is not a function'), []],
  ['what is no error at all', undefined, []],
])('tells %s', (_what, error, verdict) => {
  expect(judge(error)).toEqual(verdict)
})
