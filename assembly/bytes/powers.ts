// Powers of ten as 128-bit mantissas: what reading and printing floats both need.
//
// Entry q holds the highest 128 bits of 5^q, cut off, not rounded; 10^q has the same
// ones. Exact for 0 <= q <= 55. The table is computed on first use, in about 50 µs:
//
//   q >= 0   multiply one big number by five, over and over
//   q <  0   divide 2^960 by five, over and over: floor(floor(x / 5) / 5) = floor(x / 25),
//            so every quotient is exact in its leading 128 bits

export const POWER_MIN: i32 = -342;
export const POWER_MAX: i32 = 325;

/** Powers of ten a double holds exactly: 10^0 to 10^22. */
export const EXACT_MAX: i32 = 22;

const ENTRY: usize = 16;
const WORDS: i32 = 32;

const table: usize = memory.data(<i32>((POWER_MAX - POWER_MIN + 1) * <i32>ENTRY), 16);
const exact: usize = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
/** A big number, 32-bit words, lowest first. */
const big: usize = memory.data(<i32>(WORDS * 4), 16);
let ready = false;

/** The upper 64 bits of the mantissa of 10^q. The highest bit is set. */
export function powerHigh(q: i32): u64 {
  if (!ready) build();
  assert(q >= POWER_MIN && q <= POWER_MAX, 'power of ten outside the table');
  return load<u64>(table + <usize>(q - POWER_MIN) * ENTRY);
}

/** The lower 64 bits. Valid after powerHigh() of any power. */
export function powerLow(q: i32): u64 {
  return load<u64>(table + <usize>(q - POWER_MIN) * ENTRY, 8);
}

/** 10^q as a double, 0 <= q <= 22. */
export function exactPower(q: i32): f64 {
  return load<f64>(exact + ((<usize>q) << 3));
}

function build(): void {
  memory.fill(big, 0, WORDS * 4);
  store<u32>(big, 1);
  for (let q = 0; q <= POWER_MAX; q++) {
    keep(q);
    timesFive();
  }
  memory.fill(big, 0, WORDS * 4);
  store<u32>(big + 30 * 4, 1);
  for (let q = -1; q >= POWER_MIN; q--) {
    overFive();
    keep(q);
  }
  ready = true;
}

function timesFive(): void {
  let carry: u64 = 0;
  for (let i: usize = 0; i < <usize>WORDS; i++) {
    const word: u64 = <u64>load<u32>(big + i * 4) * 5 + carry;
    store<u32>(big + i * 4, <u32>word);
    carry = word >> 32;
  }
}

function overFive(): void {
  let rest: u64 = 0;
  for (let i = WORDS - 1; i >= 0; i--) {
    const word: u64 = (rest << 32) | <u64>load<u32>(big + <usize>i * 4);
    store<u32>(big + <usize>i * 4, <u32>(word / 5));
    rest = word % 5;
  }
}

/** Stores the leading 128 bits of the big number as entry q. */
function keep(q: i32): void {
  let top = WORDS - 1;
  while (load<u32>(big + <usize>top * 4) == 0) top--;
  const shift = clz<u32>(load<u32>(big + <usize>top * 4));
  const entry = table + <usize>(q - POWER_MIN) * ENTRY;
  store<u64>(entry, ((<u64>leading(top, shift)) << 32) | <u64>leading(top - 1, shift));
  store<u64>(entry, ((<u64>leading(top - 2, shift)) << 32) | <u64>leading(top - 3, shift), 8);
}

/** Word `index` of the big number shifted left by `shift` bits. */
function leading(index: i32, shift: u32): u32 {
  const high: u64 = index >= 0 ? <u64>load<u32>(big + <usize>index * 4) : 0;
  const low: u64 = index >= 1 ? <u64>load<u32>(big + <usize>(index - 1) * 4) : 0;
  const both: u64 = (high << 32) | low;
  const shifted: u64 = both << (<u64>shift);
  return <u32>(shifted >> 32);
}
