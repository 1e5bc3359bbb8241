// Forms as multipart/form-data (RFC 7578): the fields, without files.
//
//   --boundary CRLF header lines CRLF CRLF value CRLF --boundary CRLF … value CRLF --boundary--
//
// Lines may end without a CR, as Go takes them.

const TYPE = /^\s*multipart\/form-data\s*(?:;|$)/i;
/** RFC 2046: 70 characters at most. */
const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i;
const DISPOSITION = /^content-disposition:\s*form-data\s*(;.*)$/im;
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i;
const FILE_NAME = /;\s*filename\*?=/i;

/** What separates the parts of such a form; undefined for other types of content. */
export function boundaryOf(contentType: string): string | undefined {
  if (!TYPE.test(contentType)) return undefined;
  const match = BOUNDARY.exec(contentType);
  return match?.[1] ?? match?.[2];
}

export interface FormField {
  readonly name: string;
  readonly value: string;
}

/** The fields in order; none where any of the form is broken. */
export function multipartFields(body: Buffer, boundary: string): readonly FormField[] {
  const fields: FormField[] = [];
  let here = findDelimiter(body, boundary, 0);
  while (here !== undefined && !here.isLast) {
    const next = findDelimiter(body, boundary, here.end);
    const part = next && fieldOf(body.subarray(here.end, next.start));
    if (part === undefined) return [];
    if (part !== 'file') fields.push(part);
    here = next;
  }
  return here === undefined ? [] : fields;
}

interface Delimiter {
  /** Of the line break in front of it, which is part of it. */
  readonly start: number;
  /** Of the line behind it. */
  readonly end: number;
  readonly isLast: boolean;
}

/** The next line that is the boundary and nothing else. */
function findDelimiter(body: Buffer, boundary: string, from: number): Delimiter | undefined {
  const dashed = `--${boundary}`;
  for (let at = body.indexOf(dashed, from); at >= 0; at = body.indexOf(dashed, at + 1)) {
    if (at > from && body[at - 1] !== LF) continue;
    const behind = at + Buffer.byteLength(dashed);
    const isLast = body.toString('latin1', behind, behind + 2) === '--';
    const lineEnd = body.indexOf(LF, behind);
    if (!isLast && (lineEnd < 0 || body.toString('latin1', behind, lineEnd).trim() !== '')) continue;
    const start = at === from ? at : at - (at - 1 > from && body[at - 2] === CR ? 2 : 1);
    return { start, end: lineEnd + 1, isLast };
  }
  return undefined;
}

const CR = 0x0d;
const LF = 0x0a;

/** A part: header lines, an empty one, the value. undefined where it is no part of a form. */
function fieldOf(part: Buffer): FormField | 'file' | undefined {
  const [crlf, lf] = [part.indexOf('\r\n\r\n'), part.indexOf('\n\n')];
  const isBare = crlf < 0 || (lf >= 0 && lf < crlf);
  const headEnd = isBare ? lf : crlf;
  if (headEnd < 0) return undefined;
  const parameters = DISPOSITION.exec(part.toString('utf8', 0, headEnd))?.[1];
  const name = parameters === undefined ? null : NAME.exec(parameters);
  if (name === null || FILE_NAME.test(parameters!)) return 'file';
  const value = part.toString('utf8', headEnd + (isBare ? 2 : 4));
  return { name: name[1]?.replaceAll(/\\(.)/g, '$1') ?? name[2]!, value };
}
