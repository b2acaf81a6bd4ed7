import { RequestError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import { redactUrl } from './excerpt.ts';
import { HARMLESS, type Headers } from './secret-headers.ts';

/** 304 and 300 are no redirects in this sense. */
export const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/**
 * Where a redirected GET goes next and with which headers (lower-case names): credentials never leave the origin
 * (scheme, host and port), and TLS is never given up but towards this machine.
 * @throws RequestError REDIRECT
 */
export function redirectTarget(
  from: URL,
  location: string,
  headers: Headers,
): { url: URL; headers: Headers } {
  const refuse = (why: string): RequestError =>
    new RequestError(
      'REDIRECT',
      `${redactUrl(from)} redirects to ${redactUrl(location)}: ${why}`,
      redactUrl(from),
    );
  if (!URL.canParse(location, from.href)) throw refuse('not a URL');
  const url = new URL(location, from.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('neither http nor https');
  if (from.protocol === 'https:' && url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    throw refuse('from https to http');
  if (url.origin === from.origin) {
    url.username = from.username;
    url.password = from.password;
    return { url, headers };
  }
  url.username = url.password = '';
  return { url, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => HARMLESS.has(name))) };
}
