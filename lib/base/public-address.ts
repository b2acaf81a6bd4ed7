/** Which hosts are public, which are this machine, and which hold a cloud machine's credentials. */
import ipaddr from 'ipaddr.js';

/**
 * Tells whether an IP address can be reached from anywhere on the internet: not loopback, private,
 * link-local, unique-local, carrier-grade NAT, multicast, unspecified, documentation or reserved. An IPv4
 * address inside an IPv6 one (mapped, compatible or NAT64) is judged as that IPv4 address. Text that is not
 * an address is not public.
 */
export function isPublicAddress(ip: string): boolean {
  if (!ipaddr.isValid(ip)) return false;
  const address = ipaddr.process(ip); // ::ffff:a.b.c.d becomes a.b.c.d
  if (address instanceof ipaddr.IPv6) {
    const inner = innerIpv4(address);
    if (inner !== undefined) return isPublicAddress(inner);
  }
  return address.range() === 'unicast';
}

/**
 * Metadata servers of clouds that are not link-local, as 169.254.169.254 is: AWS, Google, Alibaba, Oracle,
 * Azure, Scaleway.
 */
const METADATA = new Set(
  ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:42::42'].map(
    (ip) => ipaddr.parse(ip).toNormalizedString(),
  ),
);
const METADATA_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/**
 * Tells whether a host, by name or address, is link-local or the metadata server of a cloud. Such a host
 * holds no data, and it may give out the machine's credentials.
 */
export function isMetadataHost(hostname: string): boolean {
  const host = bareHost(hostname);
  if (!ipaddr.isValid(host)) return METADATA_NAMES.has(host);
  const address = ipaddr.process(host);
  const inner = address instanceof ipaddr.IPv6 ? innerIpv4(address) : undefined;
  return inner !== undefined
    ? isMetadataHost(inner)
    : address.range() === 'linkLocal' || METADATA.has(address.toNormalizedString());
}

/**
 * The IPv4 address inside a compatible (RFC 4291 2.5.5.1) or NAT64 address. `ipaddr.process` has already
 * unwrapped mapped ones.
 */
function innerIpv4(address: ipaddr.IPv6): string | undefined {
  const bytes = address.toByteArray();
  return bytes.slice(0, 12).every((byte) => byte === 0) || address.range() === 'rfc6052'
    ? bytes.slice(12).join('.')
    : undefined;
}

const bareHost = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');

/**
 * Tells whether a URL's hostname names this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `::1` (with or
 * without brackets).
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = bareHost(hostname);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
