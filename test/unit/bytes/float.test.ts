import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { Core } from '../../../src/wasm/core.js';
import { boundaryDoubles, randomDoubles } from '../../support/float-cases.js';

const core = new Core();
const { exports } = core;
const text = exports.heap_alloc(32768) >>> 0;
const cell = exports.heap_alloc(16) >>> 0;
const release = process.env.NARTHEX_CORE !== 'debug';

/** What the core reads: the bits, and how many bytes it took. */
function parse(input: string): { bits: bigint; length: number; overflow: boolean } {
  for (let i = 0; i < input.length; i++) core.bytes[text + i] = input.charCodeAt(i);
  core.bytes.fill(0, text + input.length, text + input.length + 16);
  const answer = exports.float_parse(text, cell) >>> 0;
  return {
    bits: core.view.getBigUint64(cell, true),
    length: answer & 0x7fffffff,
    overflow: answer >>> 31 === 1,
  };
}

function print(value: number, form: 'text' | 'json' | 'label'): string {
  core.view.setFloat64(cell, value, true);
  const length = exports.float_print(cell, text, ['text', 'json', 'label'].indexOf(form));
  return Buffer.from(core.memory.buffer, text, length).toString('latin1');
}

function check(input: string): void {
  const want = new DataView(new ArrayBuffer(8));
  want.setFloat64(0, Number(input));
  const got = parse(input);
  if (got.length !== input.length || got.bits !== want.getBigUint64(0)) {
    assert.fail(
      `${input}: got ${got.bits.toString(16)} of ${got.length} bytes, want ${want.getBigUint64(0).toString(16)}`,
    );
  }
}

const forms: [input: string, taken: number][] = [
  ['1', 1],
  ['+1', 2],
  ['-0', 2],
  ['.5', 2],
  ['5.', 2],
  ['00000000000000000000000001', 26],
  ['1e5', 3],
  ['1E+5', 4],
  ['1e-05', 5],
  ['1e99999999999999999999', 22],
  ['0e99999999999999999999', 22],
  ['1e-99999999999999999999', 23],
  ['', 0],
  ['.', 0],
  ['-', 0],
  ['e5', 0],
  ['1e', 0],
  ['1e+', 0],
  ['+nan', 0],
  ['in', 0],
  ['1_000', 1],
  ['0x10', 1],
  ['1.5.5', 3],
  ['NaN', 3],
  ['nAn', 3],
  ['inf', 3],
  ['+Inf', 4],
  ['-INF', 4],
  ['infinity', 8],
  ['-Infinity', 9],
  ['infinite', 3],
];
for (const [input, taken] of forms) {
  test(`float parse: ${JSON.stringify(input)} takes ${taken} bytes`, () => {
    assert.equal(parse(input).length, taken);
  });
}

test('float parse: special values have the bits that Prometheus stores', () => {
  assert.equal(parse('NaN').bits, 0x7ff8000000000001n);
  assert.equal(parse('-Inf').bits, 0xfff0000000000000n);
  assert.equal(parse('+Infinity').bits, 0x7ff0000000000000n);
  assert.equal(parse('-0').bits, 0x8000000000000000n);
});

test('float parse: overflow is told apart from infinity', () => {
  for (const [input, overflow] of [
    ['1.7976931348623157e308', false],
    ['1.7976931348623158e308', false],
    ['1.7976931348623159e308', true],
    ['1e309', true],
    [`1${'0'.repeat(400)}`, true],
    ['1e-400', false],
    ['Inf', false],
  ] as const) {
    assert.equal(parse(input).overflow, overflow, input);
  }
});

test('float parse: digits beyond what a double holds decide ties', () => {
  const cases = [
    '9007199254740993',
    '9007199254740993.0000000000000000000000000000000000001',
    '9007199254740992.9999999999999999999999999999999999999',
    '2.4703282292062327208299439634110864696e-324',
    '2.4703282292062328e-324',
    '2.47032822920623272e-324',
    '4.9406564584124654e-324',
    '2.2250738585072011e-308',
    '2.2250738585072012e-308',
    '1.00000000000000011102230246251565404236316680908203125',
    '1.00000000000000011102230246251565404236316680908203124',
    '1.00000000000000011102230246251565404236316680908203126',
    `1.00000000000000011102230246251565404236316680908203125${'0'.repeat(900)}1`,
    `0.${'0'.repeat(400)}123e400`,
    `${'1'.repeat(1200)}e-1000`,
    '179769313486231570000000000000000000000e270',
    '0.000000000000000000000000000000000000000000000000000000000000000000000000000000000000',
  ];
  for (const input of cases) check(input);
});

test('float parse: the middle between two doubles, written out', () => {
  for (const value of randomDoubles(7, release ? 2000 : 200)) {
    const { digits, power } = middleAbove(Math.abs(value));
    if (digits.toString().length > 1000) continue;
    check(`${digits}e${power}`);
    check(`${digits * 10n + 1n}e${power - 1}`);
    check(`${digits * 10n - 1n}e${power - 1}`);
  }
});

test('float parse: boundaries and random doubles, shortest and with many digits', () => {
  for (const value of boundaryDoubles()) {
    check(String(value));
    check(value.toExponential(20));
  }
  for (const value of randomDoubles(1, release ? 100_000 : 10_000)) {
    check(String(value));
    check(value.toPrecision(17));
    check(value.toPrecision(19));
  }
});

test('float parse: random digits, points and exponents', () => {
  const prng = new Prng(2);
  for (let i = 0; i < (release ? 200_000 : 10_000); i++) {
    const digits = Array.from({ length: 1 + prng.int(25) }, () => prng.int(10)).join('');
    const point = prng.int(digits.length + 1);
    const mantissa = prng.int(2) === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
    check(prng.int(2) === 0 ? mantissa : `${mantissa}e${prng.int(700) - 350}`);
  }
});

test('float parse: only digits behind the 19th take the slow path', () => {
  const before = exports.float_fallbacks();
  for (const value of randomDoubles(3, 10_000)) check(value.toPrecision(19));
  for (const value of boundaryDoubles()) check(String(value));
  check('9007199254740993');
  check('9007199254740993.00000');
  assert.equal(exports.float_fallbacks(), before);
  check('9007199254740993.00001');
  assert.equal(exports.float_fallbacks(), before + 1);
});

const printed: [value: number, text: string, json: string, label: string][] = [
  [0, '0', '0', '0.0'],
  [-0, '-0', '-0', '0.0'],
  [1, '1', '1', '1.0'],
  [-1.5, '-1.5', '-1.5', '-1.5'],
  [123456, '123456', '123456', '123456.0'],
  [1234567, '1.234567e+06', '1234567', '1.234567e+06'],
  [1e6, '1e+06', '1000000', '1e+06'],
  [999999, '999999', '999999', '999999.0'],
  [123456.7, '123456.7', '123456.7', '123456.7'],
  [0.0001, '0.0001', '0.0001', '0.0001'],
  [0.00001, '1e-05', '0.00001', '1e-05'],
  [0.000001, '1e-06', '0.000001', '1e-06'],
  [1e-7, '1e-07', '1e-07', '1e-07'],
  [1.5e-7, '1.5e-07', '1.5e-07', '1.5e-07'],
  [1e20, '1e+20', '100000000000000000000', '1e+20'],
  [1e21, '1e+21', '1e+21', '1e+21'],
  [1.5e300, '1.5e+300', '1.5e+300', '1.5e+300'],
  [5e-324, '5e-324', '5e-324', '5e-324'],
  [0.3, '0.3', '0.3', '0.3'],
  [0.1 + 0.2, '0.30000000000000004', '0.30000000000000004', '0.30000000000000004'],
  [Number.NaN, 'NaN', 'NaN', 'NaN'],
  [Infinity, '+Inf', '+Inf', '+Inf'],
  [-Infinity, '-Inf', '-Inf', '-Inf'],
];
for (const [value, asText, asJson, asLabel] of printed) {
  test(`float print: ${Object.is(value, -0) ? '-0' : value}`, () => {
    assert.deepEqual([print(value, 'text'), print(value, 'json'), print(value, 'label')], [asText, asJson, asLabel]);
  });
}

test('float print: the digits are those of JavaScript, for boundaries and random doubles', () => {
  const checkPrint = (value: number) => {
    const want = jsonForm(value);
    const got = print(value, 'json');
    if (got !== want) assert.fail(`${value}: got ${got}, want ${want}`);
    if (Number(print(value, 'text')) !== value) assert.fail(`${value}: text ${print(value, 'text')}`);
  };
  for (const value of boundaryDoubles()) checkPrint(value);
  for (const value of randomDoubles(4, release ? 1_000_000 : 20_000)) checkPrint(value);
  const prng = new Prng(5);
  for (let i = 0; i < (release ? 200_000 : 20_000); i++)
    checkPrint(Math.round(prng.float() * 1e9) / 10 ** prng.int(10));
});

/** JavaScript's shortest digits, with Go's two digits of exponent. */
function jsonForm(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The middle between a double and the next one, exactly: digits x 10^power. */
function middleAbove(value: number): { digits: bigint; power: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = (biased === 0 ? fraction : fraction | (1n << 52n)) * 2n + 1n;
  const power = (biased === 0 ? -1074 : biased - 1075) - 1;
  if (power >= 0) return { digits: mantissa << BigInt(power), power: 0 };
  return { digits: mantissa * 5n ** BigInt(-power), power };
}
