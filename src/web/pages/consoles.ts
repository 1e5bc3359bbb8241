// /consoles/…: pages that an operator wrote as templates.

import type { PageCall, PageRoute } from '../page.js';

export const consoleRoute: PageRoute = {
  pattern: '/consoles/*filepath',
  methods: ['GET'],
  handler: consolePage,
  needsReady: true,
};

async function consolePage({ request, answer, deps, path }: PageCall): Promise<void> {
  const params = [...new URLSearchParams(request.query)];
  const page = await deps.consoles.page(path.get('filepath')!, params, answer.gone);
  switch (page.kind) {
    case 'missing':
      return answer.text(404, 'no such console\n');
    case 'failed':
      return answer.text(500, `${page.message}\n`);
    case 'page':
      return answer.whole(200, 'text/html; charset=utf-8', page.html);
  }
}
