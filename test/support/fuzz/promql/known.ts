// What Prometheus 3.5 does otherwise than we mean to. Each rule has its row in
// docs/differences/promql-results.md.

/** Annotations of 3.5 and of newer versions, as far as both say the same. */
export function annotationInCommon(query: string): (text: string) => string {
  return (text) =>
    text
      // 3.5 does not tell which buckets were repaired.
      .replace(/, from buckets .*Z(?= \()/, '')
      .replace(/ for metric name ""/, '')
      .replace(/(#histogram_quantile\)) for metric name ".*"/, '$1')
      // 3.5 points at a parenthesis where newer versions point at what is in it.
      .replace(/\((\d+):(\d+)\)$/, (_, line, column) => {
        let at = offsetOf(query, Number(line), Number(column));
        while (query[at] === '(') at++;
        return `at ${at}`;
      });
}

function offsetOf(text: string, line: number, column: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}

/** Which of the duplicate series is named first depends on the order of series. */
export function errorInCommon(text: string): string {
  return text.replace(/: \[.*?\];/s, ': […];').replace(/match group \{.*?\}/s, 'match group {…}');
}
