// Damaged configurations: each is read, or refused with a ConfigError; nothing else happens.
// What is read prints, and reads back as the same. `SEED=7` replays one; a failure names its seed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { type Config, parseConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/error.js';
import { renderConfig } from '../../src/config/render.js';
import { conformanceMissing, hasConformance, readConformance } from '../support/testdata.js';

const ROUNDS = 400;
const CASES = [
  'config/conf.good.yml',
  'config/kubernetes_selectors_service.good.yml',
  'config/labelmap.bad.yml',
  'http-client-config/http.conf.good.yml',
  'examples/prometheus-otlp.yml',
  'relabel/cases.json',
];
const SOURCES = (hasConformance() ? CASES : []).map(readConformance);

/** What means something to YAML, to us, or to neither. */
const FRAGMENTS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '? ',
    '|',
    '>-',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!str ',
    '!x ',
  ],
  ...[
    '\t',
    '\n',
    '  ',
    '\r\n',
    '\0',
    '\ud800',
    '\u2028',
    '~',
    'null',
    'yes',
    '0x',
    '-1',
    '1e999',
    '.inf',
    '2001-01-01',
  ],
  ...['job_name: x\n', 'regex: "("\n', 'scrape_interval: 1y1w\n', '---\n', '%YAML 1.1\n', '${1}', '$$'],
];

function damage(text: string, random: Prng): string {
  for (let count = 1 + random.int(4); count > 0; count--) {
    const at = random.int(text.length + 1);
    const lines = text.split('\n');
    const line = random.int(lines.length);
    switch (random.int(6)) {
      case 0:
        text = text.slice(0, at) + random.pick(FRAGMENTS) + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + 1 + random.int(20));
        break;
      case 2:
        text = lines.toSpliced(line, 1).join('\n');
        break;
      case 3:
        text = lines.toSpliced(line, 0, random.pick(lines)).join('\n');
        break;
      case 4:
        text = lines.with(line, `${' '.repeat(random.int(8))}${lines[line]!.trimStart()}`).join('\n');
        break;
      case 5:
        text = lines
          .with(
            line,
            lines[line]!.replace(/: .*/, () => `: ${random.pick(FRAGMENTS)}`),
          )
          .join('\n');
        break;
    }
  }
  return text;
}

function readOrRefuse(yaml: string): Config | undefined {
  try {
    return parseConfig(yaml);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

test('damaged configurations are read or refused', { skip: conformanceMissing() }, () => {
  const given = process.env.SEED;
  const seeds = given === undefined ? Array.from({ length: ROUNDS }, (_, index) => index) : [Number(given)];
  let accepted = 0;
  for (const seed of seeds) {
    const random = new Prng(seed);
    const yaml = damage(random.pick(SOURCES), random);
    try {
      const config = readOrRefuse(yaml);
      if (config === undefined) continue;
      accepted++;
      const printed = renderConfig(config);
      assert.equal(renderConfig(parseConfig(printed)), printed);
    } catch (error) {
      throw new Error(`SEED=${seed}: ${yaml.slice(0, 300)}`, { cause: error });
    }
  }
  if (given === undefined) assert.ok(accepted > ROUNDS / 20 && accepted < ROUNDS, `${accepted} of ${ROUNDS} accepted`);
});
