// Results of tests as JUnit XML, which CI systems read.

export interface JUnitCase {
  readonly name: string;
  readonly failures: readonly string[];
}

export interface JUnitSuite {
  readonly name: string;
  /** `2026-11-22T08:00:00`; empty where the file could not be read. */
  readonly timestamp: string;
  readonly cases: readonly JUnitCase[];
  /** Why the suite could not be run; undefined where it was. */
  readonly error: string | undefined;
}

export function junitXml(suites: readonly JUnitSuite[]): string {
  return `<testsuites>${suites.map(suiteXml).join('')}</testsuites>`;
}

function suiteXml({ name, timestamp, cases, error }: JUnitSuite): string {
  const failures = cases.reduce((sum, one) => sum + one.failures.length, 0);
  const counts = `tests="${cases.length}" failures="${failures}" errors="${error === undefined ? 0 : 1}" skipped="0"`;
  const all = cases.length === 0 && error !== undefined ? [{ name: 'unknown', failures: [] }] : cases;
  const inner = all.map((one, i) => caseXml(one, i === all.length - 1 ? error : undefined)).join('');
  return `<testsuite name="${escapeXml(name)}" ${counts} timestamp="${timestamp}">${inner}</testsuite>`;
}

function caseXml({ name, failures }: JUnitCase, error: string | undefined): string {
  const inner = failures.map((text) => `<failure>${escapeXml(text)}</failure>`).join('');
  const told = error === undefined ? '' : `<error>${escapeXml(error)}</error>`;
  return `<testcase name="${escapeXml(name)}">${inner}${told}</testcase>`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '&#34;'],
  ["'", '&#39;'],
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['\t', '&#x9;'],
  ['\n', '&#xA;'],
  ['\r', '&#xD;'],
]);

/** As Go's encoding/xml: what XML cannot have becomes U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replace(/["'&<>\t\n\r]/g, (character) => ESCAPES.get(character)!)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}
