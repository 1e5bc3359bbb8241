// Probes, the lifecycle, the version and our own metrics.

import { buildInfoJson } from '../api/status.js';
import { messageOf } from '../api/time.js';
import { expositionType } from '../negotiate.js';
import type { PageCall, PageRoute } from '../page.js';

/** The bodies of Prometheus, which scripts wait for. */
const HEALTHY = 'Prometheus Server is Healthy.\n';
const READY = 'Prometheus Server is Ready.\n';

const CHANGE = ['POST', 'PUT'] as const;

export const probeRoutes: readonly PageRoute[] = [
  { pattern: '/-/healthy', methods: ['GET'], handler: ({ answer }) => answer.text(200, HEALTHY) },
  { pattern: '/-/healthy', methods: ['HEAD'], handler: ({ answer }) => answer.empty(200) },
  { pattern: '/-/ready', methods: ['GET'], handler: ready },
  { pattern: '/-/ready', methods: ['HEAD'], handler: ({ answer }) => answer.empty(200), needsReady: true },
  { pattern: '/-/reload', methods: CHANGE, handler: reload, changes: true },
  { pattern: '/-/quit', methods: CHANGE, handler: quit, changes: true },
  { pattern: '/-/reload', methods: ['GET'], handler: onlyChanges },
  { pattern: '/-/quit', methods: ['GET'], handler: onlyChanges },
  {
    pattern: '/version',
    methods: ['GET'],
    handler: ({ answer, deps }) => answer.text(200, buildInfoJson(deps.status.build)),
  },
  {
    pattern: '/metrics',
    methods: ['GET'],
    handler: async ({ answer, deps }) =>
      answer.whole(200, expositionType({ format: 'text', escaping: 'underscores' }), await deps.metricsPage()),
  },
];

/** Before it serves, how far the log was read. */
function ready({ deps, answer }: PageCall): Promise<void> {
  const state = deps.readiness();
  if (state === 'ready') return answer.text(200, READY);
  answer.header('X-Prometheus-Stopping', String(state === 'stopping'));
  return answer.whole(503, 'application/json', `${JSON.stringify({ state, replay: deps.status.walReplay() })}\n`);
}

const NOT_ENABLED = 'Lifecycle API is not enabled.';

async function reload({ deps, answer }: PageCall): Promise<void> {
  if (deps.lifecycle === undefined) return answer.text(403, NOT_ENABLED);
  try {
    await deps.lifecycle.reload();
  } catch (error) {
    return answer.error(500, `failed to reload config: ${messageOf(error)}`);
  }
  answer.empty(200);
}

async function quit({ deps, answer }: PageCall): Promise<void> {
  if (deps.lifecycle === undefined) return answer.text(403, NOT_ENABLED);
  await answer.text(200, 'Requesting termination... Goodbye!');
  deps.lifecycle.quit();
}

function onlyChanges({ answer }: PageCall): Promise<void> {
  return answer.text(405, 'Only POST or PUT requests allowed');
}
