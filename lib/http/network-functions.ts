/**
 * Tells whether something has replaced Node's network functions in this thread, as libraries that mock servers or
 * trace requests do. Worker threads have functions of their own, and would pass by such a library.
 */
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

/** The network functions of this thread, each with the name that Node gives it. */
const functions = (): readonly [string, unknown][] => [
  ['get', http.get],
  ['request', http.request],
  ['ClientRequest', http.ClientRequest],
  ['get', https.get],
  ['request', https.request],
  ['connect', net.connect],
  ['connect', net.createConnection],
  ['Socket', net.Socket],
  ['connect', tls.connect],
  ['lookup', dns.lookup],
];

/** Whether a function looks like Node's own: not a proxy, not bound, and declared by its name. */
const looksOriginal = ([name, value]: readonly [string, unknown]): boolean =>
  typeof value === 'function' && Function.prototype.toString.call(value).startsWith(`function ${name}(`);

/**
 * Remembers the network functions. Returns a function that tells whether all of them are Node's own, and still
 * the same.
 */
export function watchNetworkFunctions(): () => boolean {
  const remembered = functions(),
    areOriginal = remembered.every(looksOriginal);
  return () => areOriginal && functions().every(([, value], k) => value === remembered[k][1]);
}
