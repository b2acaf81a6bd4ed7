/** What can be done about a request for many IDs that failed. */
import { GraphError, RequestError } from '../base/errors.ts';

/**
 * `again`: at once, the connection was stale. `wait`: later, as often as allowed. `once`: later, once. `split`: with half as many IDs; of a
 * single ID: later, once. `smaller`: with half as many, and hopeless for a single one. `none`: asking again gives the same.
 */
export type Remedy = 'again' | 'wait' | 'once' | 'split' | 'smaller' | 'none';

/** 524 is what a well-known proxy says for 504. */
const BY_STATUS: Record<number, Remedy> = {
  408: 'wait',
  413: 'smaller',
  429: 'wait',
  501: 'none',
  502: 'wait',
  503: 'wait',
  504: 'split',
  505: 'none',
  524: 'split',
};
const BY_BREAK = { stale: 'again', unreachable: 'wait', cut: 'split', silent: 'split' } as const;

export function remedyFor(error: unknown): Remedy {
  if (!(error instanceof GraphError)) return 'none';
  const { code, status = 0, cause } = error;
  if (code === 'HTTP_STATUS') return BY_STATUS[status] ?? (status >= 500 ? 'once' : 'none');
  if (cause instanceof RequestError && cause.broken) return BY_BREAK[cause.broken];
  if (code === 'BAD_REPLY' && status >= 200 && status < 300 && !(cause instanceof RequestError))
    return 'once'; // cut on its way, perhaps
  return 'none';
}
