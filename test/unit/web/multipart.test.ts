import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { boundaryOf, type FormField, multipartFields } from '../../../src/web/multipart.js';

test('multipart: the boundary', () => {
  for (const [type, want] of [
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;charset=utf-8; BOUNDARY="a b:c"', 'a b:c'],
    [' multipart/form-data ; boundary=----x', '----x'],
    ['multipart/form-data', undefined],
    ['multipart/form-data; boundary=', undefined],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
    ['multipart/mixed; boundary=abc', undefined],
    ['multipart/form-database; boundary=abc', undefined],
    ['application/x-www-form-urlencoded', undefined],
    ['', undefined],
  ] as const)
    assert.equal(boundaryOf(type), want, type);
});

/** Lines with CR LF between. */
function lines(...all: string[]): string {
  return all.join('\r\n');
}

const field = (name: string) => `Content-Disposition: form-data; name="${name}"`;

const bodies: [name: string, body: string, want: [name: string, value: string][]][] = [
  ['one field', lines('--b', field('query'), '', 'up', '--b--', ''), [['query', 'up']]],
  [
    'two, and a text in front and behind',
    lines('hello', '--b', field('a'), '', '1', '--b', field('b'), '', '2', '--b--', 'good bye'),
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['no text behind the end', lines('--b', field('a'), '', '1', '--b--'), [['a', '1']]],
  ['bare line feeds', `--b\n${field('a')}\n\n1\n--b--\n`, [['a', '1']]],
  ['an empty value', lines('--b', field('a'), '', '', '--b--'), [['a', '']]],
  ['a value of lines', lines('--b', field('a'), '', '', 'x', '', '--b--'), [['a', '\r\nx\r\n']]],
  ['what only looks like the boundary', lines('--b', field('a'), '', '--bc', ' --b', '--b--'), [['a', '--bc\r\n --b']]],
  ['blanks behind the boundary', lines('--b \t', field('a'), '', '1', '--b--'), [['a', '1']]],
  ['more header lines', lines('--b', 'X: y', field('a').toUpperCase(), '', '1', '--b--'), [['A', '1']]],
  [
    'a name without quotes, and one with escapes',
    lines('--b', 'content-disposition:form-data;name=a', '', '1', '--b', field('\\"é\\\\'), '', '2', '--b--'),
    [
      ['a', '1'],
      ['"é\\', '2'],
    ],
  ],
  [
    'a file, and a part without a name',
    lines('--b', `${field('f')}; filename="x"`, '', '1', '--b', 'X: y', '', '2', '--b', field('a'), '', '3', '--b--'),
    [['a', '3']],
  ],
  ['no end', lines('--b', field('a'), '', '1', '--b', field('b'), '', '2'), []],
  ['a part without an empty line', lines('--b', field('a'), '--b--'), []],
  ['nothing', '', []],
  ['no part', '--b--', []],
];

for (const [name, body, want] of bodies) {
  test(`multipart: ${name}`, () => {
    const got = multipartFields(Buffer.from(body), 'b').map((one) => [one.name, one.value]);
    assert.deepEqual(got, want);
  });
}

test('multipart: what a client writes is read back; a damaged form is read or refused', async () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new Prng(seed);
    const fields = Array.from({ length: 1 + random.int(4) }, (_, i): FormField => {
      const value = Array.from({ length: random.int(12) }, () => random.pick(['a', '\r\n', '-', '--', 'é', '"', ' ']));
      return { name: `name ${i}`, value: value.join('') };
    });
    const form = new FormData();
    for (const { name, value } of fields) form.append(name, value);
    const response = new Response(form);
    const boundary = boundaryOf(response.headers.get('content-type')!)!;
    const body = Buffer.from(await response.arrayBuffer());
    assert.deepEqual(multipartFields(body, boundary), fields, `seed ${seed}`);
    for (let cut = 0; cut < body.length - boundary.length - 6; cut++) {
      assert.deepEqual(multipartFields(body.subarray(0, cut), boundary), [], `seed ${seed}, cut at ${cut}`);
    }
    body[random.int(body.length)] = random.int(256);
    multipartFields(body, boundary);
  }
});
