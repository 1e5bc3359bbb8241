// The whole of the web as one handler for the door: routes, and what is the same for all of them.
//
//   request ─► prefix ─► route ─► ready? ─► same site? ─► handler ─► counted

import { Answer } from './answer.js';
import { adminRoutes } from './api/admin.js';
import { alertHistoryRoutes } from './api/alert-history.js';
import { alertmanagerRoutes } from './api/alertmanagers.js';
import type { ApiHandler, ApiRoute } from './api/call.js';
import { exemplarRoutes } from './api/exemplars.js';
import { explainRoutes } from './api/explain.js';
import { featureRoutes } from './api/features.js';
import { metadataRoutes } from './api/metadata.js';
import { notificationRoutes } from './api/notifications.js';
import { openApiRoute } from './api/openapi.js';
import { activeQueryRoutes } from './api/queries.js';
import { queryRoutes } from './api/query.js';
import { recoveryRoute } from './api/recovery.js';
import { relabelRoutes } from './api/relabel-steps.js';
import { ruleRoutes } from './api/rules.js';
import { searchRoutes } from './api/search.js';
import { selfMetricRoutes } from './api/self-metrics.js';
import { seriesRoutes } from './api/series.js';
import { replayRoute, statusRoutes } from './api/status.js';
import { targetRoutes } from './api/targets.js';
import { textRoutes } from './api/text.js';
import type { WebDeps } from './deps.js';
import type { DoorHandler, DoorRequest } from './door.js';
import { apiErrorOf, sendError } from './errors.js';
import { RequestMetrics } from './metrics.js';
import { allowOrigin, compileOrigin, isCrossSite, type OriginTest } from './origin.js';
import type { PageRoute } from './page.js';
import { consoleRoute } from './pages/consoles.js';
import { dryRunRoute } from './pages/dry-run.js';
import { federateRoute } from './pages/federate.js';
import { importRoute } from './pages/import.js';
import { indexRoute } from './pages/index.js';
import { otlpRoute } from './pages/otlp.js';
import { previewPoliciesRoute } from './pages/preview-policies.js';
import { probeRoutes } from './pages/probes.js';
import { readRoute } from './pages/read.js';
import { writeRoute } from './pages/write.js';
import { readParams } from './params.js';
import { type Route, Router } from './router.js';

const API = '/api/v1';

export interface AppOptions {
  /** `--web.route-prefix`, else the path of `--web.external-url`: in front of every path, `/` where there is none. */
  readonly routePrefix: string;
  /** `--web.cors.origin`; nobody where missing. */
  readonly corsOrigin?: string | undefined;
}

const READY_API_ROUTES: readonly ApiRoute[] = [
  ...queryRoutes,
  ...activeQueryRoutes,
  ...explainRoutes,
  ...seriesRoutes,
  ...exemplarRoutes,
  ...metadataRoutes,
  ...targetRoutes,
  ...relabelRoutes,
  ...ruleRoutes,
  ...alertHistoryRoutes,
  ...alertmanagerRoutes,
  ...statusRoutes,
  ...textRoutes,
  ...featureRoutes,
  ...searchRoutes,
  ...selfMetricRoutes,
  ...adminRoutes,
];

/** What answers while the storage is not ready yet. */
const EARLY_API_ROUTES: readonly ApiRoute[] = [replayRoute, recoveryRoute, ...notificationRoutes];

const PAGE_ROUTES: readonly PageRoute[] = [
  indexRoute,
  consoleRoute,
  dryRunRoute,
  federateRoute,
  importRoute,
  previewPoliciesRoute,
  writeRoute,
  readRoute,
  otlpRoute,
  ...probeRoutes,
];

/** What stands behind a route: the two kinds of handlers made alike. */
interface Endpoint {
  readonly needsReady: boolean;
  readonly changes: boolean;
  run(request: DoorRequest, answer: Answer, path: ReadonlyMap<string, string>): Promise<void>;
}

/** Throws a PatternError where the pattern of origins is none. */
export function createApp(deps: WebDeps, options: AppOptions): DoorHandler {
  const app = new App(deps, options);
  return (request, response) => app.handle(request, new Answer(request, response));
}

class App {
  readonly #deps: WebDeps;
  /** Empty, or with a slash in front and none behind. */
  readonly #prefix: string;
  readonly #origin: OriginTest;
  readonly #router: Router<Endpoint>;
  readonly #metrics: RequestMetrics;

  constructor(deps: WebDeps, options: AppOptions) {
    this.#deps = deps;
    this.#prefix = options.routePrefix.replace(/^\/*/, '/').replace(/\/+$/, '');
    this.#origin = compileOrigin(options.corsOrigin);
    this.#metrics = new RequestMetrics(deps.metrics);
    this.#router = new Router([
      ...PAGE_ROUTES.map((route) => this.#pageRoute(route)),
      ...READY_API_ROUTES.map((route) => this.#apiRoute(route, true)),
      ...EARLY_API_ROUTES.map((route) => this.#apiRoute(route, false)),
      this.#apiRoute(openApiRoute([...READY_API_ROUTES, ...EARLY_API_ROUTES]), false),
    ]);
  }

  async handle(request: DoorRequest, answer: Answer): Promise<void> {
    const path = this.#unprefixed(request.path);
    if (path === undefined) return this.#elsewhere(request, answer);
    const routed = this.#router.find(request.method, path);
    if (request.method === 'OPTIONS' && path.startsWith(`${API}/`)) {
      allowOrigin(request, answer, this.#origin);
      return answer.empty(204);
    }
    if (routed.kind === 'none') return answer.error(404, '404 page not found');
    if (routed.kind === 'wrong-method') {
      answer.header('Allow', routed.allow);
      return request.method === 'OPTIONS' ? answer.empty(200) : answer.error(405, 'Method Not Allowed');
    }
    const { route, parameters } = routed;
    const startMs = this.#deps.clock.monotonicMs();
    try {
      await this.#serve(route.handler, request, answer, parameters);
    } finally {
      const seconds = (this.#deps.clock.monotonicMs() - startMs) / 1000;
      this.#metrics.observe(route.pattern, answer.status, seconds, answer.bodyBytes);
    }
  }

  async #serve(
    endpoint: Endpoint,
    request: DoorRequest,
    answer: Answer,
    path: ReadonlyMap<string, string>,
  ): Promise<void> {
    const readiness = this.#deps.readiness();
    if (endpoint.needsReady && readiness !== 'ready') {
      answer.header('X-Prometheus-Stopping', String(readiness === 'stopping'));
      return answer.text(503, 'Service Unavailable');
    }
    if (endpoint.changes && isCrossSite(request)) {
      return answer.error(403, 'a page of another site may not change anything here');
    }
    await endpoint.run(request, answer, path);
  }

  #pageRoute(route: PageRoute): Route<Endpoint> {
    const { pattern, methods, handler, needsReady = false, changes = false } = route;
    const run: Endpoint['run'] = async (request, answer, path) => {
      await handler({ deps: this.#deps, request, answer, path, metrics: this.#metrics, prefix: this.#prefix });
    };
    return { pattern, methods, handler: { needsReady, changes, run } };
  }

  #apiRoute({ pattern, methods, handler, changes = false }: ApiRoute, needsReady: boolean): Route<Endpoint> {
    const run: Endpoint['run'] = (request, answer, path) => this.#call(handler, request, answer, path);
    return { pattern: API + pattern, methods, handler: { needsReady, changes, run } };
  }

  async #call(
    handler: ApiHandler,
    request: DoorRequest,
    answer: Answer,
    path: ReadonlyMap<string, string>,
  ): Promise<void> {
    allowOrigin(request, answer, this.#origin);
    const read = await readParams(request);
    if ('failed' in read) {
      // A body that was cut has nobody waiting for an answer.
      return read.failed === 'too-large' ? answer.error(413, 'request body too large') : undefined;
    }
    try {
      await handler({ deps: this.#deps, answer, params: read.params, path });
    } catch (thrown) {
      const error = apiErrorOf(thrown);
      if (error.type === 'internal') this.#deps.log.error('API call failed', { path: request.path, err: error });
      await sendError(answer, error);
    }
  }

  /** The path behind our prefix; undefined where it is not below it. */
  #unprefixed(path: string): string | undefined {
    if (this.#prefix === '') return path;
    if (!path.startsWith(this.#prefix)) return undefined;
    const rest = path.slice(this.#prefix.length);
    return rest === '' ? '/' : rest.startsWith('/') ? rest : undefined;
  }

  /** Outside of the prefix is nothing, but for the root, which leads to the front page. */
  #elsewhere(request: DoorRequest, answer: Answer): Promise<void> | void {
    if (request.path !== '/' || request.method !== 'GET') return answer.error(404, '404 page not found');
    answer.header('Location', `${this.#prefix}/`);
    return answer.empty(302);
  }
}
