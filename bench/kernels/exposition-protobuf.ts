// The body of exposition-text.ts as delimited protobuf messages: a family of counters for every fifty samples.

/** A metric line of text: name, labels, value. */
const LINE = /^(\w+)\{(.*)\} (\S+)$/;

export function protobufOf(text: string): Buffer {
  const families: Buffer[] = [];
  let metrics: Buffer[] = [];
  const end = () => {
    if (metrics.length === 0) return;
    const name = `http_server_requests_total_${families.length}`;
    const family = Buffer.concat([
      bytes(1, Buffer.from(name)),
      bytes(2, Buffer.from('Requests.')),
      uint(3, 0),
      ...metrics,
    ]);
    families.push(Buffer.concat([varint(family.length), family]));
    metrics = [];
  };
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP')) end();
    const match = LINE.exec(line);
    if (match === null) continue;
    const pairs = match[2]!.split(',').map((pair) => {
      const [name, value] = pair.split('=') as [string, string];
      return bytes(1, Buffer.concat([bytes(1, Buffer.from(name)), bytes(2, Buffer.from(value.slice(1, -1)))]));
    });
    const value = Buffer.alloc(9, 0x09);
    value.writeDoubleLE(Number(match[3]), 1);
    metrics.push(bytes(4, Buffer.concat([...pairs, bytes(3, value)])));
  }
  end();
  return Buffer.concat(families);
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function uint(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) out.push((value % 128) + 128);
  return Buffer.from([...out, value]);
}
