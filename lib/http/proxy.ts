/**
 * Chooses the proxy of a request from environment variables, which are passed in.
 * Source: curl's manual, "ENVIRONMENT" and `--noproxy`; curl, lib/getenv.c (an empty variable counts as
 * unset).
 */
import ipaddr from 'ipaddr.js';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost, isMetadataHost } from '../base/public-address.ts';
import { registerSecret } from '../base/secret-redaction.ts';

/** A proxy that the environment names. */
export interface Proxy {
  /** Includes the credentials. */
  url: URL;
  /** The variable that names it. */
  variable: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * In order of precedence. `HTTP_PROXY` is not read: a web server sets it from the `Proxy` header of a
 * request.
 */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'http:': ['http_proxy', 'all_proxy', 'ALL_PROXY'],
  'https:': ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
};

/** Whether the environment names any proxy. */
export const isProxyConfigured = (env: Env): boolean =>
  Object.values(VARIABLES)
    .flat()
    .some((name) => env[name]);

/**
 * Returns the proxy for a URL, or undefined. Loopback, link-local and cloud metadata addresses never use a
 * proxy.
 * @throws PathError BAD_PATH, or UNSUPPORTED_SCHEME for a proxy that is not http:// or https://.
 */
export function proxyFor(url: URL, env: Env): Proxy | undefined {
  const variable = VARIABLES[url.protocol]?.find((name) => env[name]);
  if (variable === undefined || bypassesProxy(url, env)) return undefined;
  const proxy = proxyUrl(env[variable]!.trim(), variable),
    password = decodeURIComponent(proxy.password);
  registerSecret(password);
  if (password !== '') registerSecret(`${decodeURIComponent(proxy.username)}:${password}`); // as in a header, before Base64
  return { variable, url: proxy };
}

/** Whether a URL is requested without a proxy, even if the environment names one. */
export const bypassesProxy = (url: URL, env: Env): boolean =>
  isLoopbackHost(url.hostname) ||
  isMetadataHost(url.hostname) ||
  isExempt(url, env.no_proxy || env.NO_PROXY || '');

/** Returns the address of a proxy and the variable that names it, for messages. */
export const describeProxy = ({ url, variable }: Proxy): string =>
  `${url.protocol}//${url.host} (${variable})`;

const REFUSED = 'PROXY_ANSWERED_';

/** Returns the HTTP status in the code of a {@link proxyRefusalError}, or undefined for any other code. */
export const proxyRefusalStatus = (code: string): number | undefined =>
  code.startsWith(REFUSED) ? Number(code.slice(REFUSED.length)) : undefined;

/** Makes the error for a proxy that answered with a status instead of forwarding a request. */
export const proxyRefusalError = (status: number): Error & { code: string } =>
  Object.assign(new Error('the proxy refused'), { code: `${REFUSED}${status}` });

/**
 * Parses the URL of a proxy. The default scheme is http; the default port is 1080 for http and 443 for https.
 */
function proxyUrl(value: string, variable: string): URL {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(address)) throw new PathError('BAD_PATH', `${variable} is not the URL of a proxy`);
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `${variable} names a proxy with ${url.protocol}//; only http:// and https:// proxies are supported`,
    );
  const hasPort = /:\d+$/.test(/^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(address)![1]);
  if (!hasPort && url.protocol === 'http:') url.port = '1080';
  return url;
}

/**
 * Whether `no_proxy` names the host: `*`, a domain (with its subdomains), an address or a network; each may
 * have a port.
 */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '') return false;
      if (entry === '*') return true;
      const [, name, entryPort] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry, undefined];
      if (entryPort !== undefined && entryPort !== ownPort) return false;
      const bare = name
        .replace(/^\[(.*)\]$/, '$1')
        .replace(/^\*?\./, '')
        .replace(/\.$/, '');
      if (ipaddr.isValid(host)) return isInNetwork(host, bare);
      return host === bare || host.endsWith(`.${bare}`);
    });
}

function isInNetwork(host: string, entry: string): boolean {
  const address = ipaddr.process(host);
  if (ipaddr.isValid(entry))
    return ipaddr.process(entry).toNormalizedString() === address.toNormalizedString();
  if (!ipaddr.isValidCIDR(entry)) return false;
  const [network, bits] = ipaddr.parseCIDR(entry);
  return network.kind() === address.kind() && address.match(network, bits);
}
