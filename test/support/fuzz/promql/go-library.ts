// What Go's library makes of some numbers on amd64: a difference is explained if our own answer with its functions is the
// same as theirs.
//
//   log    takes the digits of a subnormal number for those of one between 2^-1023 and 2^-1022
//   pow    goes by it, where exponents are not whole
//   exp    is infinite from 2^1023.5 on, and so are cosh and sinh
//
// Must be imported behind wobble.ts, and before whatever reads these functions of Math.

const { log, pow, exp, sqrt, abs, trunc } = Math;

const SMALLEST_NORMAL = 2 ** -1022;
/** What rounds to 2^1024. */
const INFINITE_FROM = 1023.5 * Math.LN2;

let isGo = false;

/** Runs `work`, beside which no other queries run, with functions as in Go. */
export async function withGoLibrary<T>(work: () => Promise<T>): Promise<T> {
  isGo = true;
  try {
    return await work();
  } finally {
    isGo = false;
  }
}

Math.log = (value) => (isGo && isSubnormal(value) ? goLogarithm(value) : log(value));

Math.exp = (value) => (isGo && value >= INFINITE_FROM ? Infinity : exp(value));

/** `base` to the whole part of the exponent, the nearest one, times what the logarithm makes of the rest. */
Math.pow = (base, exponent) => {
  if (!isGo || !isSubnormal(base) || trunc(exponent) === exponent) return pow(base, exponent);
  const size = abs(exponent);
  if (size === 0.5) return exponent > 0 ? sqrt(base) : 1 / sqrt(base);
  const whole = size - trunc(size) > 0.5 ? trunc(size) + 1 : trunc(size);
  const power = pow(base, whole) * exp((size - whole) * goLogarithm(base));
  return exponent > 0 ? power : 1 / power;
};

function isSubnormal(value: number): boolean {
  return value > 0 && value < SMALLEST_NORMAL;
}

/** Of the number whose exponent is the smallest one, and whose digits behind the point are the subnormal one's. */
function goLogarithm(value: number): number {
  return log(value + SMALLEST_NORMAL) - Math.LN2;
}
