/** English: what a program is described in where nothing else is asked for, and the list of everything that other languages say. */
export const en = {
  /** For numbers and money (BCP 47). */
  locale: 'en',
  /** For lists: British English has no comma before its "and". */
  listLocale: 'en-GB',

  times: '{times}× {unit}',
  perItem: '{points} for every item',
  perOrder: '{points} for every order',
  perAmount: '{points} for every {amount} spent',
  onSelected: '{text} on selected products',
  occasions: {
    signup: '{points} for signing up',
    birthday: '{points} on your birthday',
    review: '{points} for a review',
    profile: '{points} for completing your profile',
    referral: '{points} for bringing a friend',
    'custom:feedback': '{points} for your feedback',
  },
  /** An activity that the merchant named. */
  activity: '{points} for {activity}',

  onOrdersFrom: 'On orders from {amount}',
  onWeekends: 'On weekends',
  onWeekdays: 'On weekdays',
  onDays: 'On {days}',
  /** From Monday on. */
  weekdays: ['Mondays', 'Tuesdays', 'Wednesdays', 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'],
  channels: {
    web: 'in the online store',
    pos: 'in our shops',
    b2b: 'on company orders',
    subscription: 'on subscriptions',
  },
  otherChannels: 'through selected sales channels',
  forTiers: 'For {tiers}',
  once: { ever: 'Only once', year: 'Once a year', day: 'Once a day', order: 'Once per order' },
  twice: {
    ever: 'At most twice in all',
    year: 'At most twice a year',
    day: 'At most twice a day',
    order: 'At most twice per order',
  },
  often: {
    ever: 'At most {times} times in all',
    year: 'At most {times} times a year',
    day: 'At most {times} times a day',
    order: 'At most {times} times per order',
  },

  fromStart: 'From the start',
  fromSpent: 'From {amount} spent',
  fromFirstOrder: 'From the first order',
  fromOrders: 'From {orders} orders',
  fromPoints: 'From {points} {unit}',

  amountOff: '{amount} off',
  percentOff: '{percent} off',
  freeShipping: 'Free shipping',
  freeProduct: 'Free product',
  freeNamed: 'Free: {products}',
  another: 'another',
  oneOfOthers: 'one of {count} others',
  storeCredit: '{amount} store credit',
  giftCard: '{amount} gift card',
  shareOfOrder: 'For at most {percent} of an order',
  onSelectedOnly: 'On selected products',
  validDay: 'Valid for 1 day',
  validDays: 'Valid for {days} days',

  /** What happened to points, by the transfer's reason. */
  history: {
    order: 'Order',
    signup: 'Sign-up',
    birthday: 'Birthday',
    review: 'Review',
    profile: 'Profile',
    referral: 'Referral',
    tier_entry: 'New level',
    redeem: 'Reward',
    redeem_returned: 'Reward given back',
    redeem_kept: 'Reward used after all',
    expire: 'Expired',
    take_back: 'Refund',
    adjust: 'Adjustment by the shop',
    merge: 'From another account',
    erase: 'Erased',
  },
  broughtFrom: 'Brought over from {source}',
}
