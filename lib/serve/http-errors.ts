/** Turns the errors of requests into HTTP answers: `{"error": …}` with the status that fits. */
import type { FastifyError } from 'fastify';
import { errorJson, type ErrorJson } from '../base/error-json.ts';
import { AccessError } from '../base/errors.ts';
import { refusalHeaders, refusalStatus } from './access/refusal.ts';

/** The word for each status of a refusal. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BAD_INPUT',
  403: 'NOT_ALLOWED',
  404: 'UNKNOWN_NAME',
  405: 'WRONG_METHOD',
  406: 'NOT_ACCEPTABLE',
  408: 'BODY_TOO_SLOW',
  413: 'BODY_TOO_LARGE',
  414: 'BAD_INPUT',
  415: 'WRONG_TYPE',
  422: 'BAD_INPUT',
  429: 'BUSY',
  431: 'BAD_INPUT',
  503: 'STOPPING',
};

/** The codes of refusals. */
export const REFUSAL_CODES = [...new Set(Object.values(CODES))];

/** A request that is refused. */
export class HttpRefusal extends Error {
  /** The HTTP status. */
  readonly statusCode: number;
  /** The reason in one word, such as `BAD_INPUT`. */
  readonly code: string;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(statusCode: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'HttpRefusal';
    this.statusCode = statusCode;
    this.code = CODES[statusCode] ?? 'REFUSED';
    this.headers = headers;
  }
}

/** The errors of the package that a caller can do something about. */
const BY_NAME: Readonly<Record<string, number>> = {
  TimestampError: 400,
  PointError: 400,
  TableError: 400,
  DecodeError: 400,
  VolumeClosedError: 503,
};

/** Returns the HTTP status of an error. Errors of arguments are the caller's; all others are the service's. */
export function httpStatusOf(error: unknown): number {
  const { statusCode } = error as Partial<FastifyError>;
  if (typeof statusCode === 'number') return statusCode;
  if (error instanceof AccessError) return refusalStatus(error);
  if (error instanceof TypeError || error instanceof RangeError) return 400;
  const { name, code } = error as Error & { code?: string };
  // A version, or a unit, that the datastack does not have.
  if (name === 'InfoError' && (code === 'NOT_FOUND' || code === 'UNSUPPORTED')) return 400;
  return BY_NAME[name] ?? 502;
}

/** The headers that go with an error. */
export const errorHeaders = (error: unknown): Readonly<Record<string, string>> =>
  error instanceof HttpRefusal ? error.headers : error instanceof AccessError ? refusalHeaders(error) : {};

/** The body of an error. Options are called by the names of their parameters. */
export function errorBody(error: unknown): { error: ErrorJson } {
  const json = errorJson(error);
  return {
    error: { ...json, message: json.message.replace(/\b(?:stopLayer|snap\.radiusNm)\b/g, parameterName) },
  };
}

const parameterName = (option: string): string => (option === 'stopLayer' ? 'stop_layer' : 'snap_nm');
