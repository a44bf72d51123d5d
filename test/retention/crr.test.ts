import { expect, test } from 'vitest'
import { returningCustomerRate, toCrr } from '#app/retention/crr.ts'

test('the worked example of article A3: 150 at the start, 30 new, 140 at the end are 73.3 %', () => {
  expect(toCrr({ S: 150, E: 140, N: 30, R: 105, B: 5 })).toEqual({
    S: 150,
    E: 140,
    N: 30,
    R: 105,
    B: 5,
    rate: 0.733333,
    strictRate: 0.7,
  })
})

test('the boundary of article A0: a period without new buyers has a returning-customer rate of 100 %', () => {
  expect(returningCustomerRate(40, 0)).toBe(1)
})

test('a period without buyers has no rate, and nobody active at the start no CRR', () => {
  expect(returningCustomerRate(0, 0)).toBeNull()
  expect(toCrr({ S: 0, E: 3, N: 3, R: 0, B: 0 })).toMatchObject({ rate: null, strictRate: null })
})

test('customers who are won back can take CRR past 100 %, never the strict rate', () => {
  expect(toCrr({ S: 10, E: 14, N: 1, R: 9, B: 4 })).toMatchObject({ rate: 1.3, strictRate: 0.9 })
})
