import fc from 'fast-check'

/**
 * Properties draw the same cases at every run, so that a failure is everybody's failure and not one machine's luck.
 * `FAST_CHECK_SEED=$RANDOM npm test -- test/loyalty` looks elsewhere; what it finds is pinned beside its property.
 */
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_121) })
