// Remote write 2.0: the same requests to Narthex and to a real Prometheus, the same statuses, counts and samples.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { histogramFault } from '../../src/model/histogram-check.js';
import { encodeHistogramMessage } from '../support/histogram-message.js';
import { missing, peerBinary } from '../support/peers.js';
import { RemoteWriter, snappyLiterals, type WriteAnswer } from '../support/remote-write.js';
import { encodeWriteV2, type SeriesV2, V2 } from '../support/remote-write-v2.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';
import { generateStored } from '../support/stored-histograms.js';

const prometheus = peerBinary('prometheus');
const withPeer = { skip: prometheus === undefined && missing('prometheus') };
const FLAGS = ['--enable-feature=exemplar-storage', '--web.enable-remote-write-receiver'];
const T = Math.floor(Date.now() / 1000) * 1000 - 600_000;

let ours: Server;
let theirs: Server;
before(async () => {
  ours = await startNarthex({ flags: [...FLAGS, '--shards=2'] });
  if (prometheus === undefined) return;
  theirs = await startPeer(prometheus, { flags: [...FLAGS, '--enable-feature=native-histograms'] });
});
after(async () => {
  await ours?.stop();
  await theirs?.stop();
});

const name = (text: string) => ['__name__', text];
const histograms = generateStored(new Prng(1), false, 3)
  .filter((one) => histogramFault(one) === undefined)
  .map((one, i) => encodeHistogramMessage(one, T + i));

const requests: [what: string, series: SeriesV2[]][] = [
  ['nothing', []],
  ['a sample', [{ labels: name('a'), samples: [[T, 1]] }]],
  ['the same again', [{ labels: name('a'), samples: [[T, 1]] }]],
  ['another value', [{ labels: name('a'), samples: [[T, 2]] }]],
  [
    'an older one, and a good one',
    [
      { labels: name('a'), samples: [[T - 5, 2]] },
      {
        labels: [...name('b'), 'x', 'ž'],
        samples: [
          [T, 2],
          [T + 1, 3],
        ],
      },
    ],
  ],
  ['histograms', [{ labels: name('h'), histograms }]],
  [
    'exemplars',
    [
      {
        labels: name('e'),
        samples: [[T, 2]],
        exemplars: [
          { labels: ['trace_id', 'x'], timeMs: T, value: 1 },
          { labels: ['trace_id', 'x'], timeMs: T, value: 1 },
          { labels: ['trace_id', 'y'], timeMs: T + 1, value: 1 },
        ],
      },
    ],
  ],
  [
    'the same exemplar',
    [{ labels: name('e'), samples: [[T + 1, 2]], exemplars: [{ labels: ['trace_id', 'y'], timeMs: T + 1, value: 1 }] }],
  ],
  [
    'an older exemplar',
    [{ labels: name('e'), samples: [[T + 2, 2]], exemplars: [{ labels: ['trace_id', 'y'], timeMs: T, value: 1 }] }],
  ],
  ['no samples', [{ labels: name('n') }, { labels: name('c'), samples: [[T, 1]] }]],
  [
    'no metric name',
    [
      { labels: ['x', 'y'], samples: [[T, 1]] },
      { labels: name('d'), samples: [[T, 1]] },
    ],
  ],
  [
    'metadata',
    [
      {
        labels: name('g_seconds_bucket'),
        samples: [[T, 1]],
        metadata: { type: 3, help: 'How long.', unit: 'seconds' },
      },
    ],
  ],
  ['a created time', [{ labels: name('ct_total'), samples: [[T, 1]], createdMs: T - 1000 }]],
];

/** At these Prometheus 3.5.3 panics, and closes the connection. */
const foul: [what: string, want: RegExp, series: SeriesV2[]][] = [
  ['half a label', /invalid labelRefs length 1/, [{ labels: ['__name__'], samples: [[T, 1]] }]],
  [
    'a value that is not there',
    /labelRefs 0 \(value\) = 99 outside of symbols table \(size 2\)/,
    [{ labels: ['__name__', 99], samples: [[T, 1]] }],
  ],
  [
    'a name that is not there',
    /labelRefs 0 \(name\) = 99 outside/,
    [
      { labels: [99, 'x'], samples: [[T, 1]] },
      { labels: name('f'), samples: [[T, 1]] },
    ],
  ],
  [
    'labels of exemplars that are not there',
    /^$/,
    [{ labels: name('e'), samples: [[T + 3, 2]], exemplars: [{ labels: ['trace_id', 77], timeMs: T + 9, value: 1 }] }],
  ],
];

const told = ({ status, written }: WriteAnswer) => ({ status, written });

/** Where start times are taken, they begin series. */
const started: typeof requests = [
  ['a new created time', [{ labels: name('ct_total'), samples: [[T + 5000, 1]], createdMs: T + 3000 }]],
  ['the same again', [{ labels: name('ct_total'), samples: [[T + 6000, 1]], createdMs: T + 3000 }]],
  [
    'several samples, and a created time behind them',
    [
      {
        labels: name('many_total'),
        samples: [
          [T + 1, 1],
          [T + 2, 2],
        ],
        createdMs: T - 5,
      },
      {
        labels: name('late_total'),
        samples: [
          [T + 1, 1],
          [T + 2, 2],
        ],
        createdMs: T + 2,
      },
    ],
  ],
  ['of histograms', [{ labels: name('hs'), histograms, createdMs: T - 2000 }]],
];

test('requests of version 2.0 beside Prometheus', withPeer, () => besidePeer([ours, theirs], requests));

test('the same where start times are taken', withPeer, async () => {
  const flags = [...FLAGS, '--enable-feature=created-timestamp-zero-ingestion'];
  const servers = await Promise.all([
    startNarthex({ flags: [...flags, '--shards=2'] }),
    startPeer(prometheus!, { flags: [...flags, '--enable-feature=native-histograms'] }),
  ]);
  try {
    await besidePeer(servers, [...requests, ...started]);
  } finally {
    for (const server of servers) await server.stop();
  }
});

async function besidePeer(servers: readonly Server[], requests: typeof started): Promise<void> {
  const writers = servers.map(({ url }) => new RemoteWriter(url));
  for (const [what, series] of requests) {
    const body = snappyLiterals(encodeWriteV2(series));
    const [own, other] = [await writers[0]!.send(body, V2), await writers[1]!.send(body, V2)];
    assert.deepEqual(told(own), told(other), `${what}: ${own.text} / ${other.text}`);
  }
  for (const writer of writers) writer.close();
  const at = String((T + 10_000) / 1000);
  for (const query of [`query?query={__name__=~".%2B"}[1h]&time=${at}`, 'query_exemplars?query={__name__=~".%2B"}']) {
    const [own, other] = await Promise.all(servers.map(async ({ url }) => sorted(`${url}/api/v1/${query}`)));
    assert.deepEqual(own, other);
  }
}

async function sorted(url: string): Promise<unknown> {
  const { data } = (await (await fetch(url)).json()) as { data: { result?: unknown[] } | unknown[] };
  const rows = Array.isArray(data) ? data : data.result!;
  return rows.map((row) => JSON.stringify(row)).sort();
}

for (const [what, want, series] of foul) {
  test(`version 2.0: ${what}`, async () => {
    const writer = new RemoteWriter(ours.url);
    const { status, text } = await writer.send(snappyLiterals(encodeWriteV2(series)), V2);
    writer.close();
    assert.equal(status, String(want) === '/^$/' ? 204 : 400);
    assert.match(text, want);
  });
}
