/**
 * What a failure means, by what was asked: one table. Pure. `reads` are GETs of objects and infos; `calls` the endpoints of a graph, where a 500
 * means bad input more often than not; `batches` long lists of IDs that may be halved; `parts` lists whose questions are calls, which have
 * done what calls do.
 *
 * Edits are never sent twice: of them `stands` says that nothing was done, `unknown` that nobody knows. PyChunkedGraph answers 400 to what
 * it cannot carry out, all of it before it writes, and its layer of permissions 401 and 403; of a table or a path that is not there nothing
 * is edited (404, 405), and 411 to 415 and 431 are about the request itself. All others may come after the edit: 500 when the server fails
 * to tell others of it, 408, 429, 499 and 5xx from a proxy that had passed it on. Source: app/segmentation/common.py, `publish_edit`.
 */
import { GraphError, RequestError } from '../base/errors.ts';

/**
 * `wait`: later, as often as allowed. `once`: later, once. `again`: at once, as a kept connection had been closed; the next time as `split`.
 * `split`: with half as many; a single one `once`. `smaller`: with half as many; a single one `stands`. `stands`: asking again gives the same.
 */
export type RetryDecision = 'wait' | 'once' | 'again' | 'split' | 'smaller' | 'stands' | 'unknown';

const KINDS = { reads: 0, calls: 1, batches: 2, parts: 3, edits: 4 } as const;
export type RequestKind = keyof typeof KINDS;

type Row = readonly [
  reads: RetryDecision,
  calls: RetryDecision,
  batches: RetryDecision,
  parts: RetryDecision,
  edits: RetryDecision,
];

/** Not carried out, whatever was asked. */
const REFUSED: Row = ['stands', 'stands', 'stands', 'split', 'stands'];

// prettier-ignore
const TABLE = {
  // what failed  reads     calls     batches    parts     edits
  unreachable:   ['wait',   'wait',   'wait',    'stands', 'stands'],
  stale:         ['wait',   'wait',   'again',   'stands', 'unknown'],
  cut:           ['wait',   'wait',   'split',   'stands', 'unknown'],
  silent:        ['once',   'stands', 'split',   'split',  'unknown'],
  /** Certificates, malformed headers. */
  connection:    ['stands', 'stands', 'stands',  'stands', 'unknown'],
  /** The token or its owner. */
  denied:        ['stands', 'stands', 'stands',  'stands', 'stands'],
  /** To a log-in page. */
  redirected:    ['stands', 'stands', 'stands',  'stands', 'unknown'],
  /** Another answer than was asked for: cut on its way, perhaps. */
  misfit:        ['stands', 'stands', 'once',    'split',  'unknown'],
  other:         ['stands', 'stands', 'stands',  'split',  'unknown'],
  400: REFUSED, 401: REFUSED, 403: REFUSED, 404: REFUSED, 405: REFUSED,
  411: REFUSED, 414: REFUSED, 415: REFUSED, 431: REFUSED,
  408:           ['wait',   'stands', 'wait',    'split',  'unknown'],
  413:           ['stands', 'stands', 'smaller', 'split',  'stands'],
  429:           ['wait',   'wait',   'wait',    'stands', 'unknown'],
  /** 500, and all of its kind that are not listed. */
  500:           ['wait',   'stands', 'once',    'split',  'unknown'],
  501:           ['wait',   'stands', 'stands',  'split',  'unknown'],
  502:           ['wait',   'wait',   'wait',    'stands', 'unknown'],
  503:           ['wait',   'wait',   'wait',    'stands', 'unknown'],
  504:           ['wait',   'wait',   'split',   'split',  'unknown'],
  505:           ['wait',   'stands', 'stands',  'split',  'unknown'],
  /** What a well-known proxy says for 504. */
  524:           ['wait',   'stands', 'split',   'split',  'unknown'],
} satisfies Record<string, Row>;
type Failure = keyof typeof TABLE;

/** Statuses by which a server says that it has too much to do. */
export const isBusyStatus = (status: number): boolean => status === 429 || status === 503;

export const decideByStatus = (kind: RequestKind, status = 0): RetryDecision =>
  TABLE[ofStatus(status)][KINDS[kind]];

/** @param error What a request threw. */
export const decideByError = (kind: RequestKind, error: unknown): RetryDecision =>
  TABLE[ofError(error)][KINDS[kind]];

function ofStatus(status: number): Failure {
  if (status in TABLE) return status as Failure;
  return status >= 500 && status <= 599 ? 500 : 'other';
}

function ofError(error: unknown): Failure {
  if (error instanceof RequestError) return ofRequest(error) ?? ofStatus(error.status ?? 0);
  if (!(error instanceof GraphError)) return 'other';
  const { code, status = 0, cause } = error;
  switch (code) {
    case 'CONNECTION':
    case 'TIMEOUT':
      return (cause instanceof RequestError && ofRequest(cause)) || 'connection';
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
    case 'MISSING_TOS':
      return 'denied';
    case 'LOGIN_REDIRECT':
      return 'redirected';
    case 'BAD_REPLY':
      return cause instanceof RequestError ? 'other' : 'misfit';
    default:
      return ofStatus(status);
  }
}

/** Of a connection that failed. */
function ofRequest({ code, broken }: RequestError): Failure | undefined {
  if (broken !== undefined) return broken;
  return code === 'CONNECTION' || code === 'TIMEOUT' ? 'connection' : undefined;
}
