// The front page: links to what can be asked here. No script, nothing from elsewhere.

import { createHash } from 'node:crypto';
import type { PageCall, PageRoute } from '../page.js';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --quiet: #5c6773; --line: #d9dee4; --page: #fff; --accent: #b4460f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ec; --quiet: #98a2ad; --line: #343b43; --page: #14181c; --accent: #f2945c; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0; font-size: 1.75rem; letter-spacing: -0.01em; }
h1 + p { margin: 0.25rem 0 2rem; color: var(--quiet); }
h2 { margin: 2rem 0 0.5rem; font-size: 0.8rem; letter-spacing: 0.06em; text-transform: uppercase; color: var(--quiet); }
ul { margin: 0; padding: 0; list-style: none; border-top: 1px solid var(--line); }
li { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: 0.45rem 0; border-bottom: 1px solid var(--line); }
li span { color: var(--quiet); }
a { color: var(--accent); text-decoration: none; font-family: ui-monospace, monospace; font-size: 0.9rem; }
a:hover, a:focus-visible { text-decoration: underline; }
form { display: flex; gap: 0.5rem; }
input { flex: 1; min-width: 0; padding: 0.5rem 0.65rem; border: 1px solid var(--line); border-radius: 4px;
  background: transparent; color: inherit; font: 0.9rem ui-monospace, monospace; }
button { padding: 0.5rem 1rem; border: 0; border-radius: 4px; background: var(--accent); color: var(--page); font: inherit; }
`;

/** Only this very style may apply, and no script at all. */
const POLICY =
  `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
  `form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

type Link = readonly [path: string, says: string];

const SECTIONS: readonly (readonly [title: string, links: readonly Link[]])[] = [
  [
    'Data',
    [
      ['/api/v1/query?query=up', 'the newest value of each series of a query'],
      ['/api/v1/labels', 'names of all labels'],
      ['/api/v1/label/__name__/values', 'names of all metrics'],
      ['/api/v1/metadata', 'types and help texts'],
      ['/federate?match[]=up', 'newest samples as exposition text, for another Prometheus'],
    ],
  ],
  [
    'Targets',
    [
      ['/api/v1/targets', 'what is scraped, and how that goes'],
      ['/api/v1/scrape_pools', 'the jobs of the configuration'],
    ],
  ],
  [
    'This server',
    [
      ['/metrics', 'its own metrics'],
      ['/api/v1/status/tsdb', 'series, and what they are made of'],
      ['/api/v1/status/config', 'the configuration in use'],
      ['/api/v1/status/flags', 'flags of the command line'],
      ['/api/v1/status/runtimeinfo', 'the process'],
      ['/api/v1/status/buildinfo', 'the build'],
      ['/-/ready', 'whether it serves'],
    ],
  ],
];

export const indexRoute: PageRoute = { pattern: '/', methods: ['GET'], handler: index };

function index({ answer, deps, prefix }: PageCall): Promise<void> {
  answer.header('Content-Security-Policy', POLICY);
  const version = escapeHtml(deps.status.build.version);
  const sections = SECTIONS.map(([title, links]) => `<h2>${title}</h2>\n<ul>\n${listOf(links, prefix)}</ul>`);
  return answer.whole(
    200,
    'text/html; charset=utf-8',
    `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Narthex</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Narthex</h1>
<p>Version ${version}, with the HTTP API of Prometheus</p>
<form action="${escapeHtml(prefix)}/api/v1/query" method="get">
<input name="query" aria-label="PromQL expression" placeholder="PromQL expression" autocomplete="off" spellcheck="false">
<button>Query</button>
</form>
${sections.join('\n')}
</main>
</body>
</html>
`,
  );
}

function listOf(links: readonly Link[], prefix: string): string {
  const item = ([path, says]: Link) =>
    `<li><a href="${escapeHtml(prefix + path)}">${path}</a><span>${says}</span></li>\n`;
  return links.map(item).join('');
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
