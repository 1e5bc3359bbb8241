// /consoles/…, on fakes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsolePage, Consoles } from '../../../src/web/deps.js';
import { withApp } from '../../support/web.js';

const PAGES: ReadonlyMap<string, ConsolePage> = new Map([
  ['a/b c.html', { kind: 'page', html: '<p>é' }],
  ['bad.html', { kind: 'failed', message: 'error parsing template' }],
]);

test('consoles: pages, what is wrong with them, and those that are not there', async () => {
  const asked: unknown[] = [];
  const page: Consoles['page'] = async (path, params) => {
    asked.push([path, ...params]);
    return PAGES.get(path) ?? { kind: 'missing' };
  };
  await withApp({ consoles: { page } }, async (app) => {
    const good = await app.fetch('/consoles/a/b%20c.html?x=1&y=%26&x=2');
    assert.deepEqual([good.status, await good.text()], [200, '<p>é']);
    assert.equal(good.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.deepEqual(asked, [['a/b c.html', ['x', '1'], ['y', '&'], ['x', '2']]]);
    const bad = await app.fetch('/consoles/bad.html');
    assert.deepEqual([bad.status, await bad.text()], [500, 'error parsing template\n']);
    const missing = await app.fetch('/consoles/');
    assert.deepEqual([missing.status, await missing.text()], [404, 'no such console\n']);
  });
});

test('alertmanagers: those in use, and those that were dropped', async () => {
  const alertmanagers = () => ({ active: ['http://a:1/api/v2/alerts'], dropped: ['http://b:1/api/v2/alerts'] });
  await withApp({ alertmanagers }, async (app) => {
    const answer = await app.fetch('/api/v1/alertmanagers');
    assert.deepEqual(await answer.json(), {
      status: 'success',
      data: {
        activeAlertmanagers: [{ url: 'http://a:1/api/v2/alerts' }],
        droppedAlertmanagers: [{ url: 'http://b:1/api/v2/alerts' }],
      },
    });
  });
});
