// Logarithms to the last digit, as a Prometheus 3.5.3 has them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { log2, log10 } from '../../../src/model/logarithm.js';

for (const [name, logarithm, value, want] of [
  ['log2', log2, 1.0000000000000018, 2.6645352591003757e-15],
  ['log2', log2, 0.9999999, -1.4426951122643492e-7],
  ['log2', log2, 1e-300, -996.5784284662087],
  ['log2', log2, 3, 1.5849625007211563],
  ['log2', log2, 1024, 10],
  ['log2', log2, 2 ** 1023, 1023],
  ['log2', log2, 2 ** -1022, -1022],
  ['log2', log2, 5e-324, -1074],
  ['log2', log2, 0, -Infinity],
  ['log2', log2, -1, Number.NaN],
  ['log2', log2, Infinity, Infinity],
  ['log2', log2, Number.NaN, Number.NaN],
  ['log10', log10, 5, 0.6989700043360187],
  ['log10', log10, 1000, 3],
  ['log10', log10, 1e-7, -7],
  ['log10', log10, 1.0000000000000018, 7.71461973242629e-16],
  ['log10', log10, 0, -Infinity],
] as const) {
  test(`logarithm: ${name}(${value}) is ${want}`, () => assert.equal(logarithm(value), want));
}
