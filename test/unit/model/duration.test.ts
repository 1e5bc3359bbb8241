import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DURATION_MAX_MS, DurationError, formatDuration, parseDuration } from '../../../src/model/duration.js';

test('duration: text to milliseconds and back to the canonical text', () => {
  const rows: [string, number, string][] = [
    ['0', 0, '0s'],
    ['0w', 0, '0s'],
    ['0s', 0, '0s'],
    ['324ms', 324, '324ms'],
    ['3s', 3_000, '3s'],
    ['5m', 300_000, '5m'],
    ['1h', 3_600_000, '1h'],
    ['4d', 345_600_000, '4d'],
    ['4d1h', 349_200_000, '4d1h'],
    ['14d', 1_209_600_000, '2w'],
    ['90d', 7_776_000_000, '90d'],
    ['3w2d1h', 1_990_800_000, '23d1h'],
    ['10y', 315_360_000_000, '10y'],
    ['1y2w3d4h5m6s7ms', 33_019_506_007, '382d4h5m6s7ms'],
    ['90m', 5_400_000, '1h30m'],
    ['009s', 9_000, '9s'],
    ['9223372036s', 9_223_372_036_000, '106751d23h47m16s'],
  ];
  for (const [text, ms, canonical] of rows) {
    assert.deepEqual([text, parseDuration(text), formatDuration(ms)], [text, ms, canonical]);
  }
  assert.equal(formatDuration(-90_000), '-1m30s');
  assert.equal(formatDuration(0.5), '0s');
});

test('duration: bad text and its message', () => {
  const rows: [string, string][] = [
    ['', 'empty duration string'],
    ['1', 'not a valid duration string: "1"'],
    ['1y1m1d', 'not a valid duration string: "1y1m1d"'],
    ['1m1m', 'not a valid duration string: "1m1m"'],
    ['-1w', 'not a valid duration string: "-1w"'],
    ['1.5d', 'unknown unit "." in duration "1.5d"'],
    ['d', 'not a valid duration string: "d"'],
    ['1hs', 'unknown unit "hs" in duration "1hs"'],
    ['5m ', 'unknown unit "m " in duration "5m "'],
    ['294y', 'duration out of range'],
    ['200y10400w', 'duration out of range'],
    ['107675d', 'duration out of range'],
    ['2584200h', 'duration out of range'],
    ['99999999999999999999999s', 'not a valid duration string: "99999999999999999999999s"'],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => parseDuration(text), new DurationError(message), text);
  }
  assert.equal(parseDuration(`${DURATION_MAX_MS}ms`), DURATION_MAX_MS);
});
