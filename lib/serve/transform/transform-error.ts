/**
 * What a client of the transform service gets in place of an answer, in the form of the original, which is an
 * application of FastAPI: `{"detail": text}`, or for a request that breaks the schema `{"detail": [fault, …]}`.
 * Source: bocklab/transform_service, app/main.py; FastAPI, "Handling Errors".
 */
import { toPrintable } from '../../base/printable.ts';
import { HttpRefusal } from '../http-errors.ts';

/** One fault of a request, as FastAPI describes it. */
export interface RequestFault {
  /** Where it is: `path` or `body`, then names and indices: `["body", "x", 3]`. */
  loc: (string | number)[];
  /** What is wrong, in words. */
  msg: string;
  /** What kind of fault it is, in one word. */
  type: string;
}

/** A request that breaks the schema: status 422. */
export class SchemaRefusal extends HttpRefusal {
  readonly faults: readonly RequestFault[];

  constructor(loc: RequestFault['loc'], text: string, type = 'value_error') {
    const msg = toPrintable(text, MAX_TEXT);
    super(422, `${loc.join('.')}: ${msg}`);
    this.faults = [{ loc, msg, type }];
  }
}

const MAX_TEXT = 500;

/** Returns the error for a request with too many positions. */
export const tooMany = (maxPoints: number): HttpRefusal =>
  new HttpRefusal(413, `Max number of locations (${maxPoints}) exceeded: send them in several requests`);

/** Returns the member `detail` of the answer to a request that failed. */
export const detailOf = (error: Error): string | readonly RequestFault[] =>
  error instanceof SchemaRefusal ? error.faults : error.message;

/**
 * Returns a message as the text of an HTTP status line. fafbseg-py shows that text, and not the body.
 */
export const statusLineText = (message: string): string =>
  toPrintable(message, MAX_STATUS_TEXT).replace(/[^\x20-\x7e]/g, '?');

const MAX_STATUS_TEXT = 200;
