import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatFloat,
  formatGeneral,
  formatJsonFloat,
  formatSeconds,
  parseFloatText,
} from '../../../src/model/number.js';

test('number: text as Go writes it', () => {
  // value, 'f', JSON, 'g'
  const rows: [number, string, string, string][] = [
    [0, '0', '0', '0'],
    [-0, '-0', '-0', '-0'],
    [1, '1', '1', '1'],
    [-1.5, '-1.5', '-1.5', '-1.5'],
    [0.1, '0.1', '0.1', '0.1'],
    [123456, '123456', '123456', '123456'],
    [1000000, '1000000', '1000000', '1e+06'],
    [1234567, '1234567', '1234567', '1.234567e+06'],
    [0.0001, '0.0001', '0.0001', '0.0001'],
    [0.00001, '0.00001', '0.00001', '1e-05'],
    [1e-6, '0.000001', '0.000001', '1e-06'],
    [1.5e-7, '0.00000015', '1.5e-07', '1.5e-07'],
    [1e20, '100000000000000000000', '100000000000000000000', '1e+20'],
    [1e21, '1000000000000000000000', '1e+21', '1e+21'],
    [-1.25e22, '-12500000000000000000000', '-1.25e+22', '-1.25e+22'],
    [1e100, `1${'0'.repeat(100)}`, '1e+100', '1e+100'],
    [5e-324, `0.${'0'.repeat(323)}5`, '5e-324', '5e-324'],
    [Number.MAX_VALUE, `17976931348623157${'0'.repeat(292)}`, '1.7976931348623157e+308', '1.7976931348623157e+308'],
    [Number.POSITIVE_INFINITY, '+Inf', '+Inf', '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf', '-Inf', '-Inf'],
    [Number.NaN, 'NaN', 'NaN', 'NaN'],
  ];
  for (const [value, plain, json, general] of rows) {
    assert.deepEqual([formatFloat(value), formatJsonFloat(value), formatGeneral(value)], [plain, json, general]);
  }
  assert.equal(formatSeconds(1500), '1.500');
  assert.equal(formatSeconds(-1), '-0.001');
});

test('number: text as Go reads it', () => {
  const rows: [string, number | 'syntax' | 'range'][] = [
    ['0', 0],
    ['-0', -0],
    ['1.5', 1.5],
    ['.5', 0.5],
    ['5.', 5],
    ['+1e3', 1000],
    ['1E-3', 0.001],
    ['1e400', 'range'],
    ['-1e400', 'range'],
    ['1e-400', 0],
    ['inf', Number.POSITIVE_INFINITY],
    ['+Infinity', Number.POSITIVE_INFINITY],
    ['-INF', Number.NEGATIVE_INFINITY],
    ['nan', Number.NaN],
    ['NaN', Number.NaN],
    ['-nan', 'syntax'],
    ['0x1p4', 16],
    ['0x1.8p0', 1.5],
    ['-0X.8P+1', -1],
    ['0x1_0p0', 16],
    ['0x_1p0', 1],
    ['0x1p-1074', 5e-324],
    ['0x1p-1075', 0],
    ['0x1.8p-1074', 1e-323],
    ['0x1.fffffffffffff8p1023', 'range'],
    ['0x1.fffffffffffff7p1023', Number.MAX_VALUE],
    ['0x1p1024', 'range'],
    ['0x10', 'syntax'],
    ['0xp1', 'syntax'],
    ['1_23.50_0_0e+1_2', 1.235e14],
    ['_1', 'syntax'],
    ['1_', 'syntax'],
    ['1__2', 'syntax'],
    ['1_.5', 'syntax'],
    ['1._5', 'syntax'],
    ['1e_5', 'syntax'],
    ['', 'syntax'],
    [' 1', 'syntax'],
    ['1 ', 'syntax'],
    ['e5', 'syntax'],
    ['.', 'syntax'],
    ['1e', 'syntax'],
    ['0b1', 'syntax'],
    ['1n', 'syntax'],
  ];
  for (const [text, want] of rows) assert.deepEqual([text, parseFloatText(text)], [text, want]);
});
