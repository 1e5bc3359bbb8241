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

/**
 * The escaping for an answer in text format 0.0.4, as Prometheus negotiates it: the clauses in the order of preference
 * up to the one that takes plain text; the last scheme named on the way holds.
 */
export function chooseEscaping(accept: string): EscapingScheme {
  let scheme: EscapingScheme = 'underscores';
  for (const clause of parseAccept(accept)) {
    const named = clause.parameters.get('escaping');
    if (named !== undefined && SCHEMES.has(named)) scheme = named as EscapingScheme;
    const version = clause.parameters.get('version') ?? '';
    if (clause.type === 'text/plain' && (version === '' || version === '0.0.4')) return scheme;
  }
  return scheme;
}

export function textContentType(escaping: EscapingScheme): string {
  return `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`;
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
