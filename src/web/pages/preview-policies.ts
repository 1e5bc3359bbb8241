// POST /api/v1/admin/tsdb/preview_policies: what policies would free of the blocks there are. The body is a file of them;
// without one, those in force.

import { ConfigError } from '../../config/error.js';
import { ApiError, apiErrorOf, badData, sendError } from '../errors.js';
import { JSON_TYPE } from '../json.js';
import type { PageCall, PageRoute } from '../page.js';

const BODY_BYTES_MAX = 2 ** 20;

export const previewPoliciesRoute: PageRoute = {
  pattern: '/api/v1/admin/tsdb/preview_policies',
  methods: ['POST'],
  handler: preview,
  needsReady: true,
  changes: true,
};

async function preview({ deps, request, answer }: PageCall): Promise<void> {
  const { admin } = deps;
  if (admin === undefined) return sendError(answer, new ApiError('unavailable', 'admin APIs disabled', 500));
  const body = await request.readBody({ reserve: (bytes) => new Uint8Array(bytes) }, BODY_BYTES_MAX);
  if (body.kind === 'too-large') return sendError(answer, new ApiError('bad_data', 'request body too large', 413));
  if (body.kind !== 'whole') return;
  try {
    const data = await admin.previewPolicies(new TextDecoder().decode(body.bytes));
    return answer.whole(200, JSON_TYPE, JSON.stringify({ status: 'success', data }));
  } catch (error) {
    return sendError(answer, error instanceof ConfigError ? badData(error.message) : apiErrorOf(error));
  }
}
