/** Turns the errors of requests into HTTP answers: `{"error": …}` with the status that fits. */
import type { FastifyError } from 'fastify';
import { errorJson, type ErrorJson } from '../base/error-json.ts';

/** A request that is refused. */
export class HttpRefusal extends Error {
  /** The HTTP status. */
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Returns the HTTP status of an error. Errors of arguments are the caller's; all others are the service's. */
export function httpStatusOf(error: unknown): number {
  const { statusCode } = error as Partial<FastifyError>;
  if (typeof statusCode === 'number') return statusCode;
  if (error instanceof TypeError || error instanceof RangeError) return 400;
  return { TimestampError: 400, PointError: 400, TableError: 400 }[(error as Error).name] ?? 502;
}

/** The body of an error. */
export const errorBody = (error: unknown): { error: ErrorJson } => ({ error: errorJson(error) });
