/** Hosts as the headers `Host` and `Origin` name them. */
import ipaddr from 'ipaddr.js';

/** A host, and its port if one is named. */
export interface Authority {
  /** In lower case; an IPv6 address in brackets, in its shortest form. */
  name: string;
  port: number | undefined;
}

const FORM = /^(\[[\da-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::(\d{1,5}))?$/i;

/**
 * Parses `HOST[:PORT]`; undefined for any other text. Addresses in odd forms (`127.1`, `0x7f000001`) stay as they
 * are: they equal no host that is allowed.
 */
export function parseAuthority(text: string): Authority | undefined {
  const match = FORM.exec(text);
  if (!match || text.length > 255) return undefined;
  const [, host, digits] = match,
    port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65_535)) return undefined;
  if (!host.startsWith('[')) return { name: host.toLowerCase().replace(/\.$/, ''), port };
  const address = host.slice(1, -1);
  if (!ipaddr.IPv6.isValid(address)) return undefined;
  return { name: `[${ipaddr.IPv6.parse(address).toString()}]`, port };
}

const DEFAULT_PORT = { http: 80, https: 443 };
export type WebScheme = keyof typeof DEFAULT_PORT;

/** Parses an origin, `http[s]://HOST[:PORT]`, to its normal form; undefined for any other text, such as `null`. */
export function parseOrigin(text: string): string | undefined {
  const match = /^(https?):\/\/(.+)$/i.exec(text),
    authority = match && parseAuthority(match[2]);
  return authority ? formatOrigin(match[1].toLowerCase() as WebScheme, authority) : undefined;
}

/** Formats an origin in its normal form: without the default port of the scheme. */
export const formatOrigin = (scheme: WebScheme, { name, port }: Authority): string =>
  `${scheme}://${name}${port === undefined || port === DEFAULT_PORT[scheme] ? '' : `:${port}`}`;

/** Returns the port that an authority means. */
export const portOf = ({ port }: Authority, scheme: WebScheme): number => port ?? DEFAULT_PORT[scheme];
