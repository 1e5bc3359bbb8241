// Records what the real promtool makes of the templates in test/testdata/templates:
//
//   PEERS_DIR=… node dist/scripts/record-templates.js
//
// Each template is an annotation of an alert of its own; a rule unit test that expects no
// alerts prints what it got. Broken templates are the annotations of rule files to check.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unquote } from '../src/template/syntax/strings.js';
import { missing, peerBinary } from '../test/support/peers.js';
import { alertName, broken, CONTEXT, RECORDED_FILE, type Recorded, rendered } from '../test/support/templates.js';

const promtool = peerBinary('promtool');
if (promtool === undefined) throw new Error(missing('promtool'));
const folder = mkdtempSync(join(tmpdir(), 'templates-'));

try {
  const recorded: Recorded = { texts: recordTexts(rendered()), faults: recordFaults(broken()) };
  writeFileSync(RECORDED_FILE, `${JSON.stringify(recorded, null, 1)}\n`);
  console.log(`${recorded.texts.length} texts and ${recorded.faults.length} faults recorded`);
} finally {
  rmSync(folder, { recursive: true });
}

function recordTexts(templates: readonly string[]): string[] {
  write('rules.json', rulesOf(templates));
  write('test.json', {
    rule_files: ['rules.json'],
    tests: [
      {
        interval: '1m',
        input_series: CONTEXT.series.map(([series, values]) => ({ series, values })),
        external_labels: CONTEXT.externalLabels,
        external_url: CONTEXT.externalUrl,
        alert_rule_test: templates.map((_, index) => ({
          eval_time: '1m',
          alertname: alertName(index),
          exp_alerts: [],
        })),
      },
    ],
  });
  const printed = run(['test', 'rules', 'test.json']);
  return templates.map((template, index) => {
    const name = alertName(index);
    const got = new RegExp(`Labels:\\{alertname="${name}"[^\\n]*\\n\\s*Annotations:\\{(?:text=("[^\\n]*"))?\\}`).exec(
      printed,
    );
    if (got === null) throw new Error(`promtool says nothing of ${name}, ${template}:\n${printed}`);
    return got[1] === undefined ? '' : unquote(got[1])!;
  });
}

function recordFaults(templates: readonly string[]): (string | null)[] {
  write('rules.json', rulesOf(templates));
  const printed = run(['check', 'rules', 'rules.json']);
  return templates.map((_, index) => {
    const start = `rule ${index + 1}, "${alertName(index)}": annotation "text": `;
    const line = printed.split('\n').find((text) => text.includes(start));
    return line === undefined ? null : line.slice(line.indexOf(start) + start.length);
  });
}

/** One rule for each template. */
function rulesOf(templates: readonly string[]): unknown {
  const rules = templates.map((text, index) => {
    return { alert: alertName(index), expr: CONTEXT.expr, annotations: { text } };
  });
  return { groups: [{ name: 'g', rules }] };
}

function write(name: string, content: unknown): void {
  writeFileSync(join(folder, name), JSON.stringify(content));
}

/** Both streams: failures are what is wanted here. */
function run(args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(promtool!, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 });
  return stdout + stderr;
}
