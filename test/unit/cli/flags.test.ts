import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flags, flagList, parseFlags } from '../../../src/cli/flags.js';

const parse = (line: string) => parseFlags(line === '' ? [] : line.split(' '), '1.2.3');

function flagsOf(line: string): Flags {
  const invocation = parse(line);
  if (invocation.kind !== 'run') assert.fail(invocation.text);
  return invocation.flags;
}

const accepted: [line: string, want: Partial<Flags>][] = [
  ['', { configFile: 'prometheus.yml', webListenAddresses: ['0.0.0.0:9090'], queryTimeoutMs: 120_000, shards: 0 }],
  ['--config.file=a=b', { configFile: 'a=b' }],
  ['--config.file a', { configFile: 'a' }],
  ['--config.file=', { configFile: '' }],
  ['--config.file -', { configFile: '-' }],
  ['--web.enable-lifecycle', { webEnableLifecycle: true }],
  ['--no-web.enable-lifecycle', { webEnableLifecycle: false }],
  ['--web.enable-lifecycle --no-web.enable-lifecycle', { webEnableLifecycle: false }],
  ['--no-storage.tsdb.wal-compression', { storageWalCompression: false }],
  ['--storage.tsdb.no-lockfile', { storageNoLockfile: true }],
  ['--web.listen-address=:1 --web.listen-address [::1]:2', { webListenAddresses: [':1', '[::1]:2'] }],
  ['--query.max-samples=5e7', { queryMaxSamples: 50_000_000 }],
  ['--query.lookback-delta=1h30m', { queryLookbackDeltaMs: 5_400_000 }],
  ['--storage.tsdb.retention.size=512MB', { storageRetentionBytes: 512 * 1024 ** 2 }],
  ['--storage.memory-limit=2GiB', { storageMemoryLimit: { kind: 'bytes', bytes: 2 * 1024 ** 3 } }],
  ['--storage.memory-limit=12.5%', { storageMemoryLimit: { kind: 'share', share: 0.125 } }],
  ['--storage.wal-sync=never', { storageWalSync: { kind: 'never' } }],
  ['--storage.wal-sync=interval:5s', { storageWalSync: { kind: 'interval', intervalMs: 5_000 } }],
  ['--enable-feature=a,b --enable-feature=c', { enableFeature: ['a', 'b', 'c'] }],
  ['--log.level=debug --log.format=json', { logLevel: 'debug', logFormat: 'json' }],
  ['--web.http-engine=node', { webHttpEngine: 'node' }],
  ['--', {}],
];
for (const [line, want] of accepted) {
  test(`flags: ${line || 'none'}`, () => {
    const flags = flagsOf(line);
    for (const [key, value] of Object.entries(want)) assert.deepEqual(flags[key as keyof Flags], value, key);
  });
}

const refused: [line: string, message: string][] = [
  ['--bogus', "unknown long flag '--bogus'"],
  ['--bogus=1', "unknown long flag '--bogus'"],
  ['-z', "unknown short flag '-z'"],
  ['-zx', "unknown short flag '-z'"],
  ['extra', 'unexpected extra'],
  ['-- extra', 'unexpected extra'],
  ['--no-query.timeout', "unknown long flag '--no-query.timeout'"],
  ['--query.timeout', "expected argument for flag '--query.timeout'"],
  ['--query.timeout --log.level=info', "expected argument for flag '--query.timeout'"],
  ['--query.timeout=1m --query.timeout=1m', "flag 'query.timeout' cannot be repeated"],
  ['--query.timeout=abc', 'not a valid duration string: "abc" (in --query.timeout)'],
  ['--query.timeout=', 'empty duration string (in --query.timeout)'],
  ['--query.max-samples=x', 'not a whole number: "x" (in --query.max-samples)'],
  ['--query.max-samples=0x10', 'not a whole number: "0x10" (in --query.max-samples)'],
  ['--query.max-concurrency=1.5', 'not a whole number: "1.5" (in --query.max-concurrency)'],
  ['--query.max-concurrency=0', 'must be at least 1: 0 (in --query.max-concurrency)'],
  ['--shards=-1', 'must be at least 0: -1 (in --shards)'],
  ['--shards=65', 'must be at most 64: 65 (in --shards)'],
  ['--web.enable-lifecycle=true', 'unexpected true'],
  ['--log.level=loud', 'unrecognized log level loud (in --log.level)'],
  ['--storage.tsdb.retention.size=12', 'units: unknown unit  in 12 (in --storage.tsdb.retention.size)'],
  ['--storage.memory-limit=0%', 'memory limit must be in (0%, 100%]: 0% (in --storage.memory-limit)'],
  ['--storage.memory-limit=101%', 'memory limit must be in (0%, 100%]: 101% (in --storage.memory-limit)'],
  ['--storage.memory-limit=0', 'memory limit must be above 0: 0 (in --storage.memory-limit)'],
  ['--storage.wal-sync=often', 'must be group, interval:<duration> or never, got "often" (in --storage.wal-sync)'],
  ['--storage.wal-sync=interval:0', 'the interval must be above 0 (in --storage.wal-sync)'],
  ['--web.listen-address=foo', 'address foo: missing port in address (in --web.listen-address)'],
  ['--web.listen-address=a:70000', 'address a:70000: invalid port (in --web.listen-address)'],
  ['--web.external-url=ftp://a', 'parse external URL "ftp://a": not an http or https URL (in --web.external-url)'],
  ['--web.cors.origin=(', 'error parsing regexp: missing closing ): `^(?s:()$` (in --web.cors.origin)'],
  ['--auto-gomemlimit.ratio=2', 'must be greater than 0 and less than or equal to 1: 2 (in --auto-gomemlimit.ratio)'],
  ['--agent', 'agent mode is not available yet'],
];
for (const [line, message] of refused) {
  test(`flags refused: ${line}`, () => {
    const invocation = parse(line);
    assert.equal(invocation.kind === 'refuse' && invocation.text, `Error parsing command line arguments: ${message}\n`);
  });
}

test('help names every flag that is not hidden, within 80 columns', () => {
  const invocation = parse('--query.timeout=abc --help');
  assert.equal(invocation.kind, 'print');
  if (invocation.kind !== 'print') return;
  for (const name of [
    '--config.file',
    '--[no-]web.enable-lifecycle',
    '--storage.memory-limit',
    '--web.listen-address',
  ]) {
    assert.ok(invocation.text.includes(name), name);
  }
  assert.ok(!invocation.text.includes('samples-per-chunk'));
  for (const line of invocation.text.split('\n')) {
    // A name alone may be longer than its column.
    assert.ok(line.length <= 80 || /^\s+--\S+( \.\.\.)?\s*$/.test(line), line);
  }
});

test('version', () => {
  const invocation = parse('--version');
  assert.match(invocation.kind === 'print' ? invocation.text : '', /^narthex, version 1\.2\.3\n/);
});

test('flags without effect are named', () => {
  const invocation = parse('--no-auto-gomaxprocs --query.timeout=1m --web.read-timeout=1m');
  const ignored = invocation.kind === 'run' && invocation.ignored;
  assert.deepEqual(ignored, ['--web.read-timeout', '--auto-gomaxprocs']);
});

test('the list of flags has defaults and values as text, by name', () => {
  const list = flagList(flagsOf('--web.listen-address=a:1 --web.listen-address=b:2'));
  const some = {
    'web.listen-address': 'a:1,b:2',
    'query.timeout': '2m',
    'storage.memory-limit': '60%',
    'storage.wal-sync': 'group',
    'storage.tsdb.retention.size': '0B',
    'web.cors.origin': '',
    'web.enable-lifecycle': 'false',
    'enable-feature': '',
  };
  for (const [name, value] of Object.entries(some)) assert.equal(list.get(name), value, name);
  assert.deepEqual([...list.keys()], [...list.keys()].sort());
});
