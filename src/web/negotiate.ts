// What a client accepts: content codings of an answer, and how it wants names escaped.

export type ContentCoding = 'gzip' | 'deflate' | 'identity';

/** The first of gzip and deflate that the client names without forbidding it, as Prometheus chooses. */
export function chooseCoding(acceptEncoding: string): ContentCoding {
  for (const part of acceptEncoding.split(',')) {
    const [name, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (name !== 'gzip' && name !== 'deflate') continue;
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) return name;
  }
  return 'identity';
}

/** What becomes of a name that older parsers do not take. */
export type EscapingScheme = 'underscores' | 'dots' | 'values' | 'allow-utf-8';

const SCHEMES: ReadonlySet<string> = new Set<EscapingScheme>(['underscores', 'dots', 'values', 'allow-utf-8']);

/** An exposition as a client takes it. */
export interface Exposition {
  readonly format: 'text' | 'protobuf';
  readonly escaping: EscapingScheme;
}

const PROTOBUF = 'application/vnd.google.protobuf';
const METRIC_FAMILY = 'io.prometheus.client.MetricFamily';

/**
 * Text of format 0.0.4 or delimited protobuf, as Prometheus negotiates it: the clauses in the order of preference
 * up to the first that takes one of them; the last scheme named on the way holds. Protobuf as text is answered as text.
 */
export function chooseExposition(accept: string): Exposition {
  let escaping: EscapingScheme = 'underscores';
  for (const { type, parameters } of parseAccept(accept)) {
    const named = parameters.get('escaping');
    if (named !== undefined && SCHEMES.has(named)) escaping = named as EscapingScheme;
    const version = parameters.get('version') ?? '';
    const isFamily = type === PROTOBUF && parameters.get('proto') === METRIC_FAMILY;
    if (isFamily && parameters.get('encoding') === 'delimited') return { format: 'protobuf', escaping };
    if (type === 'text/plain' && (version === '' || version === '0.0.4')) break;
  }
  return { format: 'text', escaping };
}

export function expositionType({ format, escaping }: Exposition): string {
  const type =
    format === 'text'
      ? 'text/plain; version=0.0.4; charset=utf-8'
      : `${PROTOBUF}; proto=${METRIC_FAMILY}; encoding=delimited`;
  return `${type}; escaping=${escaping}`;
}

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** By quality, the best first; in the client's order where it is the same. */
function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(',').map((part): Clause => {
    const [type, ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters = new Map<string, string>();
    for (const parameter of rest) {
      const equals = parameter.indexOf('=');
      if (equals > 0) parameters.set(parameter.slice(0, equals).trim(), parameter.slice(equals + 1).trim());
    }
    const quality = Number(parameters.get('q') ?? '1');
    return { type: type!, parameters, quality: Number.isFinite(quality) ? quality : 1 };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}
