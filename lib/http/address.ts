import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { PathError } from '../base/errors.ts';
import { isLoopbackHost, isPublicAddress } from '../base/public-address.ts';

/** `public`: connections to this machine, private networks and other special addresses are refused. */
export type AllowAddress = 'any' | 'public';

export const forbidden = (hostname: string): PathError =>
  new PathError('FORBIDDEN_ADDRESS', `${hostname} is not, or does not resolve to, a public address; this location came from a server, so it may not be read`);

/**
 * Refuses a host that is not public as it stands; names are judged when they are resolved ({@link lookupPublic}).
 * @throws PathError FORBIDDEN_ADDRESS
 */
export function checkHost(hostname: string): void {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isLoopbackHost(host) || (isIP(host) !== 0 && !isPublicAddress(host))) throw forbidden(hostname);
}

/** `dns.lookup` that fails unless every address is public, so that what was checked is what is connected to. */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const addresses = typeof address === 'string' ? [address] : ((address as unknown as { address: string }[] | undefined) ?? []).map((a) => a.address);
    const refused = error ?? (addresses.every(isPublicAddress) ? null : forbidden(hostname));
    callback(refused, address, family);
  });
};
