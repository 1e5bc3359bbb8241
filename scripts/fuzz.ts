// Fuzzing: generated cases from a seed, until their count or the time is up.
//
//   npm run fuzz -- <target> [--seed N] [--count N] [--time seconds] [--<more> value]
//
// A failure is printed as small as it could be made, with the seed that replays it.
// The exit code says whether there was any.

import { TARGETS } from '../test/support/fuzz/targets.js';

const COUNT = 10_000;

// A run that is stopped ends through process.exit, so that the servers it started end too.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code));
}

const [name, ...args] = process.argv.slice(2);
const load = TARGETS.get(name ?? '');
if (load === undefined) {
  console.error('npm run fuzz -- <target> [--seed N] [--count N] [--time seconds]');
  for (const [known, target] of TARGETS) console.error(`  ${known.padEnd(10)} ${(await target()).about}`);
  process.exitCode = 2;
} else {
  process.exitCode = await run(await load(), readFlags(args));
}

async function run(target: Awaited<ReturnType<NonNullable<typeof load>>>, flags: Map<string, string>): Promise<number> {
  const seed = numberOf(flags, 'seed') ?? Math.floor(Date.now() / 86_400_000);
  const count = numberOf(flags, 'count') ?? COUNT;
  const seconds = numberOf(flags, 'time') ?? Infinity;
  console.log(`fuzz: ${name} --seed ${seed} --count ${count}`);
  const startMs = Date.now();
  const print = (line: string) => console.log(line);
  const report = await target.run({ seed, count, endMs: startMs + seconds * 1000, more: flags, print });
  for (const line of report.summary) console.log(`fuzz: ${line}`);
  const took = ((Date.now() - startMs) / 1000).toFixed(1);
  console.log(`fuzz: seed ${seed}, ${report.cases} cases in ${took} s, ${report.failures} failures`);
  return report.failures === 0 ? 0 : 1;
}

/** `--name value` pairs; those that are read here are taken out. */
function readFlags(texts: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  for (let i = 0; i < texts.length; i += 2) flags.set(texts[i]!.replace(/^--/, ''), texts[i + 1] ?? '');
  return flags;
}

function numberOf(flags: Map<string, string>, key: string): number | undefined {
  const text = flags.get(key);
  flags.delete(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === '' || !(value >= 0)) throw new Error(`--${key} ${text}: a number is needed`);
  return value;
}
