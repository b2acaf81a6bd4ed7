/**
 * One table that says what to do about a failed request, by the kind of request and the kind of failure.
 * Pure.
 *
 * Kinds of request: `reads` get objects and infos. `calls` go to the endpoints of a graph, where status 500
 * mostly means bad input. `batches` are long lists of IDs, which may be halved. `parts` are lists that are
 * requested through calls, so each failure has already had the retries of a call. `edits` change the graph.
 *
 * An edit is never sent twice. For an edit, `final` means that the graph is unchanged, and `unknown` means
 * that it may have changed. PyChunkedGraph answers 400 before it writes; its permission layer answers 401 and
 * 403. Statuses 404 and 405 mean that there is no such table or path; 411, 413 to 415 and 431 reject the
 * request itself. Any other status may come after the edit: 500 if the server fails to publish the edit; 408,
 * 429, 499 and 5xx if a proxy had forwarded it.
 * Source: app/segmentation/common.py, `publish_edit`.
 */
import { GraphError, RequestError } from '../base/errors.ts';

/**
 * What to do about a failure.
 * - `wait`: retry after a pause, as often as allowed.
 * - `once`: retry after a pause, one time.
 * - `immediately`: retry at once, because a kept connection was closed. If that fails too, as `split`.
 * - `split`: send each half of the batch. A single item is retried as with `once`.
 * - `splitOnly`: send each half of the batch. For a single item, the failure is final.
 * - `final`: do not retry; the result would be the same.
 * - `unknown`: do not retry; an edit may or may not have been made.
 */
export type RetryDecision = 'wait' | 'once' | 'immediately' | 'split' | 'splitOnly' | 'final' | 'unknown';

const COLUMNS = { reads: 0, calls: 1, batches: 2, parts: 3, edits: 4 } as const;
/** The kinds of request; see the head of this file. */
export type RequestKind = keyof typeof COLUMNS;

type Row = readonly [
  reads: RetryDecision,
  calls: RetryDecision,
  batches: RetryDecision,
  parts: RetryDecision,
  edits: RetryDecision,
];

/** The server refused the request and did nothing. */
const REFUSED: Row = ['final', 'final', 'final', 'split', 'final'];

// prettier-ignore
const TABLE = {
  // failure     reads    calls    batches       parts        edits
  unreachable:  ['wait',  'wait',  'wait',       'final',     'final'],
  stale:        ['wait',  'wait',  'immediately','final',     'unknown'],
  cut:          ['wait',  'wait',  'split',      'final',     'unknown'],
  silent:       ['once',  'final', 'split',      'split',     'unknown'],
  /** Certificates, malformed headers. */
  connection:   ['final', 'final', 'final',      'final',     'unknown'],
  /** The token or its owner. */
  denied:       ['final', 'final', 'final',      'final',     'final'],
  /** A redirect to a log-in page. */
  redirected:   ['final', 'final', 'final',      'final',     'unknown'],
  /** The reply does not fit the request. It may have been cut on its way. */
  mismatch:     ['final', 'final', 'once',       'split',     'unknown'],
  other:        ['final', 'final', 'final',      'split',     'unknown'],
  400: REFUSED, 401: REFUSED, 403: REFUSED, 404: REFUSED, 405: REFUSED,
  411: REFUSED, 414: REFUSED, 415: REFUSED, 431: REFUSED,
  408:          ['wait',  'final', 'wait',       'split',     'unknown'],
  413:          ['final', 'final', 'splitOnly',  'split',     'final'],
  429:          ['wait',  'wait',  'wait',       'final',     'unknown'],
  /** 500 and every 5xx that is not listed. */
  500:          ['wait',  'final', 'once',       'split',     'unknown'],
  501:          ['wait',  'final', 'final',      'split',     'unknown'],
  502:          ['wait',  'wait',  'wait',       'final',     'unknown'],
  503:          ['wait',  'wait',  'wait',       'final',     'unknown'],
  504:          ['wait',  'wait',  'split',      'split',     'unknown'],
  505:          ['wait',  'final', 'final',      'split',     'unknown'],
  /** Cloudflare sends it instead of 504. */
  524:          ['wait',  'final', 'split',      'split',     'unknown'],
} satisfies Record<string, Row>;
type Failure = keyof typeof TABLE;

/** Whether the server refused a request because of its load. */
export const isBusyStatus = (status: number): boolean => status === 429 || status === 503;

/** Decides about a reply by its HTTP status. */
export const decideByStatus = (kind: RequestKind, status = 0): RetryDecision =>
  TABLE[failureOfStatus(status)][COLUMNS[kind]];

/** Decides about an error that a request threw. */
export const decideByError = (kind: RequestKind, error: unknown): RetryDecision =>
  TABLE[failureOfError(error)][COLUMNS[kind]];

function failureOfStatus(status: number): Failure {
  if (status in TABLE) return status as Failure;
  return status >= 500 && status <= 599 ? 500 : 'other';
}

function failureOfError(error: unknown): Failure {
  if (error instanceof RequestError) return failureOfConnection(error) ?? failureOfStatus(error.status ?? 0);
  if (!(error instanceof GraphError)) return 'other';
  const { code, status = 0, cause } = error;
  switch (code) {
    case 'CONNECTION':
    case 'TIMEOUT':
      return (cause instanceof RequestError && failureOfConnection(cause)) || 'connection';
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
    case 'MISSING_TOS':
      return 'denied';
    case 'LOGIN_REDIRECT':
      return 'redirected';
    case 'BAD_REPLY':
      return cause instanceof RequestError ? 'other' : 'mismatch';
    default:
      return failureOfStatus(status);
  }
}

/** Returns the kind of a failed connection, or undefined for any other error. */
function failureOfConnection({ code, broken }: RequestError): Failure | undefined {
  if (broken !== undefined) return broken;
  return code === 'CONNECTION' || code === 'TIMEOUT' ? 'connection' : undefined;
}
