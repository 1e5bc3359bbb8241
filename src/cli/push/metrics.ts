// `narthex push metrics`: the metrics of a page, sent to a server by remote write.

import { HttpError } from '../../base/http.js';
import { snappyEncode } from '../../base/snappy-encode.js';
import { parseFamilies, TextFormatError } from '../../exposition/families.js';
import { command, SaidFailure, ToolError, type ToolWorld } from '../tool/command.js';
import { goDurationFlag, pairsFlag, pairsOf } from '../tool/flags.js';
import { httpConfigFile, ToolServer } from '../tool/server.js';
import { encodePage } from './write-request.js';

const HEADERS = [
  ['Content-Encoding', 'snappy'],
  ['Content-Type', 'application/x-protobuf'],
  ['X-Prometheus-Remote-Write-Version', '0.1.0'],
] as const;

/** What is shown of a refusal. */
const SAID_BYTES = 1024;

export const metrics = command({
  path: ['push', 'metrics'],
  help: 'Send the metrics of files, or of standard input, to a server by remote write.',
  flags: {
    httpConfigFile,
    label: pairsFlag('label', ['job=promtool'], 'Label for all series, as name=value. Can be repeated.'),
    timeoutMs: goDurationFlag('timeout', 30_000, 'How long to wait for the server.', { placeholder: '30s' }),
    header: pairsFlag('header', [], 'Header to send, as name=value. Can be repeated.'),
  },
  words: ['<remote-write-url>', '[<metric-files>...]'],
  files: ([, ...files]) => files,
  run: async (world, { values, words }) => {
    const [address, ...files] = words as [string, ...string[]];
    const { label, timeoutMs, header, httpConfigFile: file } = values;
    const server = new ToolServer(world, address, { httpConfigFile: file, headers: pairsOf(header) });
    const options = { labels: pairsOf(label), timeoutMs };
    try {
      await pushAll(world, files, (page) => pushPage(world, server, page, options));
    } finally {
      server.close();
    }
  },
});

/** Goes on behind a bad file; throws SaidFailure where there was one. */
async function pushAll(
  world: ToolWorld,
  files: readonly string[],
  push: (page: Uint8Array) => Promise<void>,
): Promise<void> {
  const { disk, out } = world;
  if (files.length === 0) {
    out.line('Parsing standard input');
    if (!(await isPushed(world, () => push(world.readInput())))) throw new SaidFailure('nothing was pushed');
    out.line('  SUCCESS: metrics pushed to remote write.');
    return;
  }
  let hasFaults = false;
  for (const file of files) {
    out.line(`Parsing metrics file ${file}`);
    const isGood = await isPushed(world, () => push(disk.readFile(file)));
    if (isGood) out.line(`  SUCCESS: metrics file ${file} pushed to remote write.`);
    hasFaults ||= !isGood;
  }
  if (hasFaults) throw new SaidFailure('a file was not pushed');
}

async function isPushed(world: ToolWorld, push: () => Promise<void>): Promise<boolean> {
  try {
    await push();
    return true;
  } catch (error) {
    const isExpected = error instanceof TextFormatError || error instanceof HttpError || error instanceof ToolError;
    if (!isExpected) throw error;
    world.warn(`  FAILED: ${error.message}`);
    return false;
  }
}

async function pushPage(
  { clock }: ToolWorld,
  server: ToolServer,
  page: Uint8Array,
  { labels, timeoutMs }: { readonly labels: ReadonlyMap<string, string>; readonly timeoutMs: number },
): Promise<void> {
  const families = parseFamilies(new TextDecoder().decode(page));
  const body = snappyEncode(encodePage(families, { labels, nowMs: clock.nowMs() }));
  const answer = await server.ask({ path: '', method: 'POST', headers: HEADERS, body, timeoutMs });
  if (Math.trunc(answer.status / 100) === 2) return;
  const said = new TextDecoder().decode(answer.body.subarray(0, SAID_BYTES));
  throw new ToolError(`server returned HTTP status ${answer.statusText}: ${said}`);
}
