// Kahan summation in Neumaier's variant, as Prometheus sums: sum and c, the lost low bits.
//
//   t = sum + x
//   c = t is infinite ? 0 : c + lost(sum, x, t)
//   sum = t
//
// Written out in the loops, because a function can return only one number.

/** What `t`, the rounded sum + x, lost of the smaller of the two. */
export function lost(sum: f64, x: f64, t: f64): f64 {
  const large = abs(sum) >= abs(x);
  return select<f64>(sum, x, large) - t + select<f64>(x, sum, large);
}

/** The same in both lanes, by Knuth's TwoSum: without a choice, and wrong where t overflows. */
export function lostTwo(sum: v128, x: v128, t: v128): v128 {
  const got = f64x2.sub(t, sum);
  return f64x2.add(f64x2.sub(sum, f64x2.sub(t, got)), f64x2.sub(x, got));
}

export function isInfinite(x: f64): bool {
  return abs(x) == Infinity;
}
