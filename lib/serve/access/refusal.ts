/** The HTTP answers to requests that are refused because of who may ask. */
import { AccessError } from '../../base/errors.ts';

const STATUS: Partial<Record<AccessError['code'], number>> = {
  NO_TOKEN: 401,
  BAD_TOKEN: 401,
  BAD_REQUEST: 400,
  AUTH_UNAVAILABLE: 503,
};

/** How long a client should wait before it asks again, in seconds. */
const RETRY_AFTER_S = 5;

/** Returns the HTTP status of a refusal. */
export const refusalStatus = ({ code }: AccessError): number => STATUS[code] ?? 403;

/**
 * Returns the headers of a refusal: the challenge of RFC 6750 for a missing or wrong token, and when to ask again.
 */
export function refusalHeaders({ code }: AccessError): Record<string, string> {
  if (code === 'NO_TOKEN') return { 'www-authenticate': 'Bearer realm="graphene-points"' };
  if (code === 'BAD_TOKEN')
    return { 'www-authenticate': 'Bearer realm="graphene-points", error="invalid_token"' };
  return code === 'AUTH_UNAVAILABLE' ? { 'retry-after': String(RETRY_AFTER_S) } : {};
}
