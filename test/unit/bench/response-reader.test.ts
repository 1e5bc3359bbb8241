// The reader of answers finds their end wherever the socket cuts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseReader } from '../../../bench/response-reader.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

const ANSWERS: [name: string, text: string, status: number, body: string][] = [
  ['a known length', `${HEAD}Content-Length: 5\r\n\r\nhello`, 200, 'hello'],
  ['a length in lower case', 'HTTP/1.1 422 No\r\ncontent-length: 2\r\n\r\nno', 422, 'no'],
  ['no body', 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n', 204, ''],
  [
    'chunks',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nB\r\n, all of us\r\n0\r\n\r\n`,
    200,
    'hello, all of us',
  ],
  [
    'a chunk that holds line ends',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n`,
    200,
    '\r\n\r\n',
  ],
  ['a trailer', `${HEAD}Transfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nExpires: now\r\n\r\n`, 200, 'a'],
  [
    'a long chunk',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n`,
    200,
    'x'.repeat(1000),
  ],
];

for (const [name, text, status, body] of ANSWERS) {
  test(`${name}, cut everywhere`, () => {
    for (const size of [1, 2, 3, 7, 50, text.length]) {
      const reader = new ResponseReader(true);
      for (let at = 0; at < text.length; at += size) {
        const done = reader.push(Buffer.from(text.slice(at, at + size), 'latin1'));
        assert.equal(done, at + size >= text.length, `pieces of ${size}, at ${at}`);
      }
      assert.equal(reader.status, status);
      assert.equal(reader.body().toString('latin1'), body);
    }
  });
}

test('a body that is not asked for is not kept', () => {
  const reader = new ResponseReader(false);
  assert.equal(reader.push(Buffer.from(`${HEAD}Content-Length: 5\r\n\r\nhello`)), true);
  assert.equal(reader.body().length, 0);
});

const WRONG: [name: string, text: string][] = [
  ['no length', `${HEAD}\r\n`],
  ['a chunk without a length', `${HEAD}Transfer-Encoding: chunked\r\n\r\nhello\r\n`],
  ['bytes behind the end', `${HEAD}Content-Length: 1\r\n\r\nab`],
];
for (const [name, text] of WRONG) {
  test(`${name}: refused`, () => {
    assert.throws(() => new ResponseReader(false).push(Buffer.from(text)));
  });
}
