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

export function isInfinite(x: f64): bool {
  return abs(x) == Infinity;
}
