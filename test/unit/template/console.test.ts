// Values on console pages are made safe for the place where they go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConsoleContext, expandConsole } from '../../../src/template/html/console.js';

const CONTEXT: ConsoleContext = {
  path: 'x.html',
  params: [
    ['bad', `'"<&`],
    ['url', 'javascript:alert(1)'],
  ],
  externalLabels: [],
  externalUrl: 'http://testhost/p',
  timeMs: 0,
  query: async (expr) => [{ labels: ['expr', expr], value: 1.5 }],
};

const pages: readonly (readonly [name: string, template: string, want: string])[] = [
  ['text', '<p>{{ .Params.bad }}</p>', '<p>&#39;&#34;&lt;&amp;</p>'],
  ['no value', '<p>{{ .Params.none }}{{ (args).x }}</p>', '<p></p>'],
  ['HTML', '<p>{{ "<b>" | safeHtml }}{{ "<b>" | html }}</p>', '<p><b>&lt;b&gt;</p>'],
  ['an attribute', '<p title="{{ .Params.bad }}">', '<p title="&#39;&#34;&lt;&amp;">'],
  ['one without quotes', '<p title={{ "a b=c" }}>', '<p title=a&#32;b&#61;c>'],
  ['a name', '<p {{ .Params.bad }}="x" {{ "onclick" }}="y">', '<p ZgotmplZ="x" ZgotmplZ="y">'],
  ['a URL', '<a href="{{ .Params.url }}">', '<a href="#ZgotmplZ">'],
  ['a query', '<a href="/x?y={{ .Params.bad }}">', '<a href="/x?y=%27%22%3c%26">'],
  ['a script', '<script>f({{ .Params.bad }}, {{ 1 }})</script>', `<script>f("'\\"\\u003c\\u0026",  1 )</script>`],
  [
    'a text in a script',
    `<script>f('{{ .Params.bad }}')</script>`,
    `<script>f('\\u0027\\u0022\\u003c\\u0026')</script>`,
  ],
  ['a comment in a script', '<script>/*{{ .Params.bad }}*/f() // {{ 1 }}\n</script>', '<script> f() \n</script>'],
  ['a handler', '<p onclick="f({{ .Params.bad }})">', '<p onclick="f(&#34;&#39;\\&#34;\\u003c\\u0026&#34;)">'],
  ['a style', '<p style="width: {{ 5 }}px; color: {{ .Params.url }}">', '<p style="width: 5px; color: ZgotmplZ">'],
  ['a comment', '<p><!-- {{ .Params.bad }} --></p>', '<p></p>'],
  ['tmpl', '{{ define "x" }}<i>{{ . }}</i>{{ end }}<p>{{ tmpl "x" .Params.bad }}', '<p><i>&#39;&#34;&lt;&amp;</i>'],
  ['a query in tmpl', '{{ define "x" }}{{ query . | first | value }}{{ end }}{{ tmpl "x" "y" }}', '1.5'],
];

for (const [name, template, want] of pages) {
  test(`${name} on a page`, async () => {
    assert.equal(await expandConsole(template, [], CONTEXT), want);
  });
}

test('libraries are shared, and the page comes first', async () => {
  const libraries = [
    { name: 'a.lib', text: '{{ define "x" }}a{{ end }}{{ define "y" }}{{ template "z" }}{{ end }}' },
    { name: 'b.lib', text: '{{ define "z" }}b{{ end }}whole' },
  ];
  const page = '{{ template "x" }}{{ template "y" }}{{ template "b.lib" }}';
  assert.equal(await expandConsole(page, libraries, CONTEXT), 'abwhole');
});

test('a page that calls itself by tmpl ends', async () => {
  const page = '{{ define "x" }}{{ tmpl "x" . }}{{ end }}{{ tmpl "x" 1 }}';
  await assert.rejects(expandConsole(page, [], CONTEXT), /nested too deeply/);
});
