/**
 * Which proxy a request goes through, as the environment says, which is passed in.
 * Source: curl's manual, "ENVIRONMENT" and `--noproxy`; curl, lib/getenv.c (an empty variable is as good as none).
 */
import ipaddr from 'ipaddr.js';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost, isMetadataHost } from '../base/public-address.ts';
import { registerSecret } from '../base/secret-redaction.ts';

export interface Proxy {
  /** With its credentials. */
  url: URL;
  /** The variable that names it. */
  variable: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** In the order in which they are looked into; `HTTP_PROXY` is what a web server makes of a request's `Proxy` header. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  'http:': ['http_proxy', 'all_proxy', 'ALL_PROXY'],
  'https:': ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
};

/** Whether any proxy is named, for whatever is asked. */
export const isProxyConfigured = (env: Env): boolean =>
  Object.values(VARIABLES)
    .flat()
    .some((name) => env[name]);

/**
 * The proxy for a URL; undefined for none. This machine, link-local addresses and a cloud's metadata are reached without one, always.
 * @throws PathError BAD_PATH, or UNSUPPORTED_SCHEME for a kind of proxy that is not spoken to.
 */
export function proxyFor(url: URL, env: Env): Proxy | undefined {
  const variable = VARIABLES[url.protocol]?.find((name) => env[name]);
  if (variable === undefined || bypassesProxy(url, env)) return undefined;
  const proxy = proxyUrl(env[variable]!.trim(), variable),
    password = decodeURIComponent(proxy.password);
  registerSecret(password);
  if (password !== '') registerSecret(`${decodeURIComponent(proxy.username)}:${password}`); // as a header has it
  return { variable, url: proxy };
}

/** Whether a URL is asked without a proxy, whichever there is. */
export const bypassesProxy = (url: URL, env: Env): boolean =>
  isLoopbackHost(url.hostname) ||
  isMetadataHost(url.hostname) ||
  isExempt(url, env.no_proxy || env.NO_PROXY || '');

/** Where it is, for messages. */
export const describeProxy = ({ url, variable }: Proxy): string =>
  `${url.protocol}//${url.host} (${variable})`;

const REFUSED = 'PROXY_ANSWERED_';

/** The status with which a proxy refused, out of the code of such an error. */
export const proxyRefusalStatus = (code: string): number | undefined =>
  code.startsWith(REFUSED) ? Number(code.slice(REFUSED.length)) : undefined;

/** What a proxy says instead of passing a request on. */
export const proxyRefusalError = (status: number): Error & { code: string } =>
  Object.assign(new Error('the proxy refused'), { code: `${REFUSED}${status}` });

/** A proxy without a scheme speaks HTTP; without a port it is at 1080, one behind TLS at 443. */
function proxyUrl(value: string, variable: string): URL {
  const address = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (!URL.canParse(address)) throw new PathError('BAD_PATH', `${variable} is not the URL of a proxy`);
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `${variable} names a proxy of the kind ${url.protocol}//; http:// and https:// are spoken`,
    );
  const hasPort = /:\d+$/.test(/^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(address)![1]);
  if (!hasPort && url.protocol === 'http:') url.port = '1080';
  return url;
}

/** `no_proxy`: `*`, or names, of which each stands for what is below it too, addresses, and networks; any with a port. */
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
      const [, name, wanted] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? [undefined, entry, undefined];
      if (wanted !== undefined && wanted !== ownPort) return false;
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
