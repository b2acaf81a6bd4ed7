import ipaddr from 'ipaddr.js';

/**
 * Whether an IP address is one that anybody on the internet reaches: not loopback, private, link-local, unique-local,
 * carrier-grade NAT, multicast, unspecified, documentation or reserved. An IPv4 address inside an IPv6 one (mapped,
 * compatible or NAT64) is judged as that IPv4 address. Text that is no address is not public.
 */
export function isPublicAddress(ip: string): boolean {
  if (!ipaddr.isValid(ip)) return false;
  const address = ipaddr.process(ip); // ::ffff:a.b.c.d becomes a.b.c.d
  if (address instanceof ipaddr.IPv6) {
    const bytes = address.toByteArray();
    const compatible = bytes.slice(0, 12).every((byte) => byte === 0); // ::a.b.c.d, RFC 4291 2.5.5.1
    if (compatible || address.range() === 'rfc6052') return isPublicAddress(bytes.slice(12).join('.'));
  }
  return address.range() === 'unicast';
}

/** Whether a URL's hostname names this machine: `localhost`, `*.localhost`, 127.0.0.0/8, `::1` (with or without brackets). */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}
