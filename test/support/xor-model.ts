// XOR chunks written and read the slow way, bit by bit as text: the model of the chunk kernel.

export interface Sample {
  readonly time: number;
  readonly bits: bigint;
}

const MASK = (1n << 64n) - 1n;

export function floatBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

export function encodeXor(samples: readonly Sample[]): Uint8Array {
  let out = binary(BigInt(samples.length), 16);
  let delta = 0n;
  let window: [leading: number, trailing: number] | undefined;
  samples.forEach((sample, i) => {
    const time = BigInt(sample.time);
    if (i === 0) {
      out += varint(time < 0n ? (-time << 1n) - 1n : time << 1n) + binary(sample.bits, 64);
      return;
    }
    const before = samples[i - 1]!;
    const step = time - BigInt(before.time);
    if (i === 1) out += varint(step);
    else out += deltaOfDeltaCode(step - delta);
    delta = step;

    const change = sample.bits ^ before.bits;
    if (change === 0n) {
      out += '0';
      return;
    }
    const text = binary(change, 64);
    const leading = Math.min(text.indexOf('1'), 31);
    const trailing = 63 - text.lastIndexOf('1');
    if (window !== undefined && leading >= window[0] && trailing >= window[1]) {
      out += `10${text.slice(window[0], 64 - window[1])}`;
      return;
    }
    window = [leading, trailing];
    const size = 64 - leading - trailing;
    out += `11${binary(BigInt(leading), 5)}${binary(BigInt(size % 64), 6)}${text.slice(leading, 64 - trailing)}`;
  });
  const bytes = out.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

function deltaOfDeltaCode(value: bigint): string {
  if (value === 0n) return '0';
  for (const [prefix, bits] of [
    ['10', 14n],
    ['110', 17n],
    ['1110', 20n],
  ] as const) {
    const top = 1n << (bits - 1n);
    if (value > -top && value <= top) return prefix + binary(value & ((1n << bits) - 1n), Number(bits));
  }
  return `1111${binary(value & MASK, 64)}`;
}

/** Undefined where the bytes end too early or say something impossible. */
export function decodeXor(bytes: Uint8Array): Sample[] | undefined {
  let text = '';
  for (const byte of bytes) text += byte.toString(2).padStart(8, '0');
  let at = 0;
  const take = (bits: number): bigint => {
    if (at + bits > text.length) throw new RangeError('the bits end too early');
    at += bits;
    return BigInt(`0b${text.slice(at - bits, at)}`);
  };
  const takeVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(8);
      value |= (byte & 127n) << shift;
      if (byte < 128n) {
        if (value > MASK) throw new RangeError('varint over 64 bits');
        return value;
      }
    }
    throw new RangeError('varint over 10 bytes');
  };
  try {
    const count = Number(take(16));
    const samples: Sample[] = [];
    let time = 0n;
    let delta = 0n;
    let bits = 0n;
    let window: [leading: number, size: number] = [0, 64];
    for (let i = 0; i < count; i++) {
      if (i === 0) {
        const zigzag = takeVarint();
        time = BigInt.asIntN(64, (zigzag >> 1n) ^ -(zigzag & 1n));
        bits = take(64);
        samples.push({ time: Number(time), bits });
        continue;
      }
      if (i === 1) delta = takeVarint();
      else {
        let ones = 0;
        while (ones < 4 && take(1) === 1n) ones++;
        const size = [0, 14, 17, 20, 64][ones]!;
        if (size > 0) {
          const raw = take(size);
          const top = 1n << BigInt(size - 1);
          delta += size < 64 && raw > top ? raw - 2n * top : raw;
        }
      }
      time = BigInt.asIntN(64, time + delta);
      if (take(1) === 1n) {
        if (take(1) === 1n) {
          const leading = Number(take(5));
          const size = Number(take(6)) || 64;
          if (leading + size > 64) throw new RangeError('window over 64 bits');
          window = [leading, size];
        }
        bits ^= take(window[1]) << BigInt(64 - window[0] - window[1]);
      }
      samples.push({ time: Number(time), bits });
    }
    return samples;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function binary(value: bigint, bits: number): string {
  return value.toString(2).padStart(bits, '0');
}

function varint(value: bigint): string {
  let out = '';
  for (; value >= 128n; value >>= 7n) out += binary((value & 127n) | 128n, 8);
  return out + binary(value, 8);
}
