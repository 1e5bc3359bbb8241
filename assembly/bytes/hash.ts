// A 64-bit hash of bytes under a secret seed.
//
// It decides two things: whether a line of a scrape is the line seen last time,
// and in which shard a label set lives. The text comes from strangers, so nobody
// without the seed may be able to make two texts collide.
//
// The heart is NH, the universal hash of UMAC (Black, Halevi, Krawczyk, Krovetz,
// Rogaway 1999, section 4): add secret words to the message words, multiply them in
// pairs, sum the products. A block is 32 bytes, four products in two SIMD steps:
//
//     bytes   0 ......... 15        16 ........ 31
//             a = text + key        b = text + key'       32-bit lanes, key by block number
//     sum  += a[0]*b[0], a[1]*b[1]     32 x 32 -> 64
//     sum  += a[2]*b[2], a[3]*b[3]
//     sum  += text with its halves swapped     so that a factor of zero hides nothing
//
// The last block overlaps the one before it and has a key of its own. The key slides
// by 16 bytes per block; after 16 blocks the sums are stirred and it starts over.

const BLOCK: usize = 32;

/** Blocks between two stirs of the sums. */
const STRIDE: u32 = 16;

const KEY_STEP: usize = 16;
const LAST_KEY: usize = <usize>STRIDE * KEY_STEP + BLOCK;
const KEY_BYTES: usize = LAST_KEY + BLOCK + 4 * sizeof<u64>();
const FINAL_KEY: usize = LAST_KEY + BLOCK;

const keys: usize = memory.data(<i32>KEY_BYTES, 16);
/** Texts under 32 bytes are laid out here, zero-padded. */
const short: usize = memory.data(<i32>BLOCK, 16);

const MIX_A: u64 = 0xbf58476d1ce4e5b9;
const MIX_B: u64 = 0x94d049bb133111eb;

/** Fills the key from a 64-bit seed (SplitMix64, Steele, Lea, Flood 2014). Equal seeds give equal hashes in every core. */
export function seed(value: u64): void {
  let state = value;
  for (let at: usize = 0; at < KEY_BYTES; at += sizeof<u64>()) {
    state += 0x9e3779b97f4a7c15;
    store<u64>(keys + at, avalanche(state));
  }
}

/** Hashes `length` bytes; reads nothing outside them. */
export function hash64(text: usize, length: usize): u64 {
  let sum = i64x2.splat(0);
  if (length < BLOCK) {
    copyShort(text, length);
    sum = absorb(sum, short, keys + LAST_KEY);
    return finish(sum, length);
  }
  const last = text + length - BLOCK;
  let block: u32 = 0;
  for (let at = text; at < last; at += BLOCK) {
    if (block == STRIDE) {
      sum = stir(sum);
      block = 0;
    }
    sum = absorb(sum, at, keys + <usize>block * KEY_STEP);
    block++;
  }
  sum = absorb(sum, last, keys + LAST_KEY);
  return finish(sum, length);
}

function absorb(sum: v128, text: usize, key: usize): v128 {
  const a = v128.load(text);
  const b = v128.load(text, 16);
  const ka = i32x4.add(a, v128.load(key));
  const kb = i32x4.add(b, v128.load(key, 16));
  sum = i64x2.add(sum, i64x2.extmul_low_i32x4_u(ka, kb));
  sum = i64x2.add(sum, i64x2.extmul_high_i32x4_u(ka, kb));
  // Halves swapped: the sum that holds a product does not also hold only its own factors.
  sum = i64x2.add(sum, v128.shuffle<i64>(a, a, 1, 0));
  return i64x2.add(sum, b);
}

/** Makes the order of long runs of blocks count. Rare: every 512 bytes. */
function stir(sum: v128): v128 {
  const low = avalanche(<u64>i64x2.extract_lane(sum, 0) ^ load<u64>(keys + FINAL_KEY));
  const high = avalanche(<u64>i64x2.extract_lane(sum, 1) ^ load<u64>(keys + FINAL_KEY, 8));
  return i64x2.replace_lane(i64x2.splat(<i64>low), 1, <i64>high);
}

function finish(sum: v128, length: usize): u64 {
  const low = <u64>i64x2.extract_lane(sum, 0) + load<u64>(keys + FINAL_KEY, 16);
  const high = <u64>i64x2.extract_lane(sum, 1) + load<u64>(keys + FINAL_KEY, 24);
  return avalanche(low ^ rotl<u64>(high * MIX_A, 31) ^ (<u64>length * MIX_B));
}

/** The finaliser of SplitMix64: every input bit reaches every output bit. */
function avalanche(value: u64): u64 {
  value = (value ^ (value >> 30)) * MIX_A;
  value = (value ^ (value >> 27)) * MIX_B;
  return value ^ (value >> 31);
}

function copyShort(text: usize, length: usize): void {
  v128.store(short, i64x2.splat(0));
  v128.store(short, i64x2.splat(0), 16);
  if (length >= 16) {
    v128.store(short, v128.load(text));
    v128.store(short + length - 16, v128.load(text + length - 16));
  } else if (length >= 8) {
    store<u64>(short, load<u64>(text));
    store<u64>(short + length - 8, load<u64>(text + length - 8));
  } else if (length >= 4) {
    store<u32>(short, load<u32>(text));
    store<u32>(short + length - 4, load<u32>(text + length - 4));
  } else {
    for (let i: usize = 0; i < length; i++) store<u8>(short + i, load<u8>(text + i));
  }
}
