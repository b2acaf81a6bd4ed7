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
 * the same. It is called for each request.
 */
export function watchNetworkFunctions(): () => boolean {
  const areOriginal = functions().every(looksOriginal);
  const { get, request, ClientRequest } = http,
    { get: secureGet, request: secureRequest } = https,
    { connect, createConnection, Socket } = net,
    { connect: secureConnect } = tls,
    { lookup } = dns;
  return () =>
    areOriginal &&
    http.get === get &&
    http.request === request &&
    http.ClientRequest === ClientRequest &&
    https.get === secureGet &&
    https.request === secureRequest &&
    net.connect === connect &&
    net.createConnection === createConnection &&
    net.Socket === Socket &&
    tls.connect === secureConnect &&
    dns.lookup === lookup;
}
