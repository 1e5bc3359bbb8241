// Templates as the real promtool takes them.
//
// Each is an annotation of an alert of its own; a rule unit test that expects no alerts prints
// what it got. Broken ones are the annotations of a rule file to check.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unquote } from '../../src/template/syntax/strings.js';
import { alertName, CONTEXT } from './templates.js';

/** What promtool makes of templates that it accepts. */
export function recordTexts(promtool: string, templates: readonly string[]): string[] {
  return inFolder(promtool, (peer) => textsOf(peer, templates));
}

/** What promtool says is wrong with templates; null where nothing is. */
export function recordFaults(promtool: string, templates: readonly string[]): (string | null)[] {
  return inFolder(promtool, (peer) => faultsOf(peer, templates));
}

interface Peer {
  write(name: string, content: unknown): void;
  /** Both streams: failures are what is wanted here. */
  run(args: readonly string[]): string;
}

function inFolder<T>(promtool: string, use: (peer: Peer) => T): T {
  const cwd = mkdtempSync(join(tmpdir(), 'narthex-templates-'));
  try {
    return use({
      write: (name, content) => writeFileSync(join(cwd, name), JSON.stringify(content)),
      run(args) {
        const { stdout, stderr } = spawnSync(promtool, args, { cwd, encoding: 'utf8', maxBuffer: 64 << 20 });
        return stdout + stderr;
      },
    });
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

function textsOf({ write, run }: Peer, templates: readonly string[]): string[] {
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

function faultsOf({ write, run }: Peer, templates: readonly string[]): (string | null)[] {
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
