// /api/v1/openapi.yaml: our routes as an OpenAPI document, made of the table of routes, so that it never lags behind.
// It is written as JSON, which is YAML too.

import { badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET } from './call.js';

const TYPE = 'application/openapi+yaml; charset=utf-8';
/** What a client may ask for; we use nothing that tells them apart. */
const VERSIONS: ReadonlyMap<string, string> = new Map([
  ['', '3.1.0'],
  ['3.1', '3.1.0'],
  ['3.2', '3.2.0'],
]);

export function openApiRoute(routes: readonly ApiRoute[]): ApiRoute {
  return { pattern: '/openapi.yaml', methods: GET, handler: (call) => openApi(call, routes) };
}

async function openApi({ params, answer, deps }: ApiCall, routes: readonly ApiRoute[]): Promise<void> {
  const version = VERSIONS.get(params.get('openapi_version'));
  if (version === undefined) throw badData('invalid openapi_version: must be 3.1 or 3.2');
  const document = {
    openapi: version,
    info: { title: 'Narthex HTTP API', version: deps.status.build.version },
    servers: [{ url: '/api/v1' }],
    paths: Object.fromEntries(pathsOf(routes)),
    components: { schemas: { Envelope: ENVELOPE } },
  };
  await answer.whole(200, TYPE, `${JSON.stringify(document, undefined, 2)}\n`);
}

function pathsOf(routes: readonly ApiRoute[]): Map<string, object> {
  const paths = new Map<string, object>();
  for (const { pattern, methods } of routes) {
    const path = pattern.replace(/:(\w+)/g, '{$1}');
    const operations = methods.map((method) => [method.toLowerCase(), operationOf(method, pattern)]);
    paths.set(path, { ...paths.get(path), ...Object.fromEntries(operations) });
  }
  return new Map([...paths].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function operationOf(method: string, pattern: string): object {
  const inPath = [...pattern.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const envelope = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Envelope' } } } };
  return {
    operationId: `${method.toLowerCase()}${pattern.replace(/[^\w]+/g, '-')}`,
    ...(inPath.length > 0 && { parameters: inPath }),
    responses: {
      '200': { description: 'What was asked for.', ...envelope },
      default: { description: 'Why it was not.', ...envelope },
    },
  };
}

const ENVELOPE = {
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string', enum: ['success', 'error'] },
    data: {},
    errorType: { type: 'string' },
    error: { type: 'string' },
    warnings: { type: 'array', items: { type: 'string' } },
    infos: { type: 'array', items: { type: 'string' } },
  },
};
