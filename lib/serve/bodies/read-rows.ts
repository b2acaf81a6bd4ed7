/** Reads the rows of a body by its format: whole, or as it comes. */
import { HttpRefusal } from '../http-errors.ts';
import {
  pointsOfBytes,
  readBinaryIds,
  readBinaryPoints,
  readNpyIds,
  readNpyPoints,
  type DtypeName,
} from './binary-rows.ts';
import { type BodyIds, type BodyPoints, type BodyRows } from './body-rows.ts';
import { idsOfTexts } from './id-texts.ts';
import { JsonListCutter } from './json-list-cutter.ts';
import { flattenPoints, idsOfJson, parseBodyJson, pointsOfJson } from './json-rows.ts';
import { readTableIds, readTablePoints } from './table-rows.ts';

/** The formats of bodies by media type. */
const BODY_FORMATS = {
  'application/json': 'json',
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/vnd.apache.arrow.stream': 'arrow',
  'application/vnd.apache.arrow.file': 'arrow',
  'application/x-npy': 'npy',
  'application/octet-stream': 'binary',
} as const;

/** The media types of bodies. */
export const BODY_TYPES = Object.keys(BODY_FORMATS);

/** A format of bodies. */
export type BodyFormat = (typeof BODY_FORMATS)[keyof typeof BODY_FORMATS];

/** Returns the format of a body. @throws HttpRefusal 415. */
export function bodyFormatOf(contentType: string | undefined, encoding: string | undefined): BodyFormat {
  if (encoding !== undefined && encoding !== 'identity')
    throw new HttpRefusal(415, `the body has a content encoding: send it without one`);
  const [type] = (contentType ?? '').split(';');
  const format = (BODY_FORMATS as Readonly<Record<string, BodyFormat>>)[type.trim().toLowerCase()];
  if (!format)
    throw new HttpRefusal(
      415,
      `${contentType === undefined ? 'the request has no Content-Type' : 'the Content-Type is not read here'}: it may be ${BODY_TYPES.join(', ')}`,
    );
  return format;
}

/** What a body of one format becomes, whole or as it comes. */
export interface BodyReader<Rows> {
  /** Reads a short body at once; undefined if the format is only read as it comes. */
  whole?: (body: Buffer) => Rows;
  /** Reads a body as it comes. */
  stream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Rows>;
}

const rowsOf = <Values extends { length: number }>(values: Values, perRow: number): BodyRows<Values> => ({
  values,
  count: values.length / perRow,
});

/** Returns the reader of points. @param maxRows The most points of a request. */
export function pointsReader(format: BodyFormat, dtype: DtypeName, maxRows: number): BodyReader<BodyPoints> {
  switch (format) {
    case 'json':
      return {
        whole: (body) => rowsOf(pointsOfJson(body), 3),
        stream: (source) =>
          readJsonList(source, 'points', {
            whole: (body) => rowsOf(pointsOfJson(body), 3),
            part: (list, first) => rowsOf(flattenPoints(list, first), 3),
          }),
      };
    case 'binary':
      return {
        whole: (body) => rowsOf(pointsOfBytes(body, dtype), 3),
        stream: (source) => readBinaryPoints(source, dtype),
      };
    case 'npy':
      return { stream: (source) => readNpyPoints(source, maxRows) };
    default:
      return { stream: (source) => readTablePoints(source, format) };
  }
}

/** Returns the reader of IDs. @param kind Which IDs they are, for the columns of a table. */
export function idsReader(
  format: BodyFormat,
  kind: 'supervoxel_id' | 'root_id',
  maxRows: number,
): BodyReader<BodyIds> {
  switch (format) {
    case 'json':
      return {
        whole: (body) => rowsOf(idsOfJson(body), 1),
        stream: (source) =>
          readJsonList(source, 'ids', {
            whole: (body) => rowsOf(idsOfJson(body), 1),
            part: (list, first) => rowsOf(idsOfTexts(list, first), 1),
          }),
      };
    case 'binary':
      return { stream: readBinaryIds };
    case 'npy':
      return { stream: (source) => readNpyIds(source, maxRows) };
    default:
      return { stream: (source) => readTableIds(source, format, kind) };
  }
}

/** The largest JSON body that is read whole, because it does not begin with its list. */
const MAX_WHOLE = 2 ** 26;

async function* readJsonList<Rows extends BodyRows<unknown>>(
  source: AsyncIterable<Uint8Array>,
  name: string,
  { whole, part }: { whole: (body: Buffer) => Rows; part: (list: readonly unknown[], first: number) => Rows },
): AsyncGenerator<Rows> {
  const parts: Buffer[] = [];
  let bytes = 0,
    first = 0,
    cutter: JsonListCutter | undefined;
  const parse = (text: string): Rows => {
    const rows = part(
      parseBodyJson(`[${text}]`, `the list ${name}, from item ${first} on,`) as unknown[],
      first,
    );
    first += rows.count;
    return rows;
  };
  let isUndecided = true;
  for await (const piece of source) {
    const next = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let text: string | undefined;
    if (cutter) text = cutter.push(next);
    else {
      parts.push(next);
      bytes += next.length;
      if (isUndecided && bytes >= 256) {
        isUndecided = false;
        const head = Buffer.concat(parts.splice(0)),
          start = JsonListCutter.startOf(head, name);
        if (start === undefined) parts.push(head);
        else text = (cutter = new JsonListCutter()).push(head.subarray(start));
      }
      if (!cutter && bytes > MAX_WHOLE)
        throw new HttpRefusal(
          413,
          `a JSON body of more than ${MAX_WHOLE} bytes must begin with {"${name}": [; or send text/csv or application/octet-stream`,
        );
    }
    if (text !== undefined) yield parse(text);
  }
  if (cutter) cutter.finish();
  else yield whole(Buffer.concat(parts));
}
