import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toJson } from '../../../src/promql/syntax/json.js';
import { ALL_PARSE_OPTIONS, parseExpr } from '../../../src/promql/syntax/parse.js';

test('json: a tree as /api/v1/parse_query gives it', () => {
  const json = (text: string) => JSON.stringify(toJson(parseExpr(text, ALL_PARSE_OPTIONS)));
  const selector = (
    name: string,
    rest = '"offset":0,"offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null',
  ) =>
    `{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"${name}"}],"name":"${name}",${rest},"type":"vectorSelector"}`;
  const rows: [string, string][] = [
    ['Inf', '{"type":"numberLiteral","val":"+Inf"}'],
    ['-5m', '{"type":"numberLiteral","val":"-300"}'],
    ['"a\\n"', '{"type":"stringLiteral","val":"a\\n"}'],
    ['(1)', '{"expr":{"type":"numberLiteral","val":"1"},"type":"parenExpr"}'],
    ['-a', `{"expr":${selector('a')},"op":"-","type":"unaryExpr"}`],
    [
      'a offset 5m @ 1.5',
      selector('a', '"offset":300000,"offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":1500'),
    ],
    [
      'a @ end() offset -step()',
      selector(
        'a',
        '"offset":0,"offsetExpr":{"lhs":null,"op":"-","rhs":{"lhs":null,"op":"step","rhs":null,"type":"durationExpr",' +
          '"wrapped":false},"type":"durationExpr","wrapped":false},"smoothed":false,"startOrEnd":"end","timestamp":null',
      ),
    ],
    [
      'topk by (x) (1, a)',
      `{"expr":${selector('a')},"grouping":["x"],"op":"topk","param":{"type":"numberLiteral","val":"1"},` +
        '"type":"aggregation","without":false}',
    ],
    [
      'a > bool on(x) fill_left(2) b',
      `{"bool":true,"lhs":${selector('a')},"matching":{"card":"one-to-one","fillValues":{"lhs":2,"rhs":null},` +
        `"include":[],"labels":["x"],"on":true},"op":">","rhs":${selector('b')},"type":"binaryExpr"}`,
    ],
    [
      'round(a)',
      `{"args":[${selector('a')}],"func":{"argTypes":["vector","scalar"],"name":"round","returnType":"vector",` +
        '"variadic":1},"type":"call"}',
    ],
    [
      'a[5m:1m + 1]',
      `{"expr":${selector('a')},"offset":0,"offsetExpr":null,"range":300000,"rangeExpr":null,"step":0,"stepExpr":` +
        '{"lhs":{"duration":true,"type":"numberLiteral","val":"60"},"op":"+","rhs":{"duration":false,' +
        '"type":"numberLiteral","val":"1"},"type":"durationExpr","wrapped":false},"startOrEnd":null,"timestamp":null,' +
        '"type":"subquery"}',
    ],
    [
      'a{b!="c"}[1m] smoothed',
      '{"anchored":false,"matchers":[{"name":"b","type":"!=","value":"c"},{"name":"__name__","type":"=","value":"a"}],' +
        '"name":"a","offset":0,"offsetExpr":null,"smoothed":true,"startOrEnd":null,"timestamp":null,"range":60000,' +
        '"rangeExpr":null,"type":"matrixSelector"}',
    ],
  ];
  for (const [text, want] of rows) assert.equal(json(text), want, text);
});
