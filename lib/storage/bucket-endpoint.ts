/** The server of a bucket that is neither Google's nor Amazon's, as the user names it. */
import { PathError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import { redactUrl } from '../http/excerpt.ts';

/**
 * Parses the option `endpoint`.
 * @throws PathError BAD_PATH.
 */
export function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    throw new PathError('BAD_PATH', `endpoint ${redactUrl(endpoint)} is not http(s)://HOST[:PORT][/PATH]`);
  return url;
}

/** Whether credentials may be sent to a server: over TLS or to loopback. */
export const isSafeForCredentials = (url: URL): boolean =>
  url.protocol === 'https:' || isLoopbackHost(url.hostname);
