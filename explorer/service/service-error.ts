/** Failures of the service, in words for the reader. */
import { toPrintable } from '../../lib/base/printable.ts';

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** The HTTP status; 0 if the service did not answer. */
  readonly status: number;
  /** How long the service asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, { status, retryAfterMs }: { status: number; retryAfterMs?: number }) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get isPassing(): boolean {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

const WHY: Readonly<Record<number, string>> = {
  0: 'The service does not answer. Is it still running?',
  401: 'The service wants a token. Enter one under Access token.',
  403: 'The token may not read this.',
  404: 'The service does not know this volume or address.',
  406: 'The service does not write this format.',
  413: 'The request is too large for the service.',
  429: 'The service is busy.',
  502: 'A server that the service asks does not answer.',
  503: 'The service is stopping.',
  504: 'The service took too long.',
};

/** Describes an answer that is not a success: what it means, and what the service says of it. */
export function describeFailure(status: number, body: string): string {
  const why = WHY[status] ?? (status >= 500 ? 'The service failed.' : 'The service refused the request.');
  const detail = messageOf(body);
  return detail === '' ? `${why} (HTTP ${status})` : `${why} It says: ${detail}`;
}

function messageOf(body: string): string {
  try {
    const { error } = Object(JSON.parse(body)) as { error?: unknown };
    const { message } = Object(error) as { message?: unknown };
    return typeof message === 'string'
      ? toPrintable(message, 400)
      : typeof error === 'string'
        ? toPrintable(error, 400)
        : '';
  } catch {
    return '';
  }
}

/** Reads `Retry-After` in seconds; undefined for a date or nothing. At most a minute. */
export function readRetryAfter(value: string | null): number | undefined {
  const seconds = value === null || !/^\d+$/.test(value) ? NaN : Number(value);
  return Number.isNaN(seconds) ? undefined : Math.min(seconds, 60) * 1000;
}
