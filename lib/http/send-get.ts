/**
 * Sends GET requests, and plain requests to a proxy, with node:http. There are thousands of GETs, and
 * node:http needs a third of the CPU time of got. This file handles no redirects, retries, timeouts or
 * limits.
 */
import http, { type Agent as HttpAgent, type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { RequestSender, ResponseHandlers } from './exchange.ts';

/** Statuses whose `Content-Length` is not the length of their body. RFC 9110, 8.6. */
const BODILESS = new Set([204, 304]);

/** The agents for http:// and https:// requests. */
export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
}

/** Makes a sender of GETs without a body. */
export const sendGet =
  (agent: Agents): RequestSender =>
  ({ url, headers }, handlers) =>
    // Called as properties of the modules, because libraries that mock the network replace these properties.
    listen(
      url.protocol === 'https:'
        ? https.get(url, { agent: agent.https, headers })
        : http.get(url, { agent: agent.http, headers }),
      handlers,
    );

/**
 * Makes a sender of `http://` requests to a proxy, with the whole URL in the request line. RFC 9112, 3.2.2.
 * The package http-proxy-agent is not used: it sends a body twice if the body comes before the proxy is
 * connected.
 */
export const sendToProxy =
  (proxy: URL, agent: Agents): RequestSender =>
  ({ url, method, headers, body }, handlers) => {
    const { protocol, hostname, port, username, password } = proxy,
      secure = protocol === 'https:';
    const credentials = Buffer.from(
      `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
    ).toString('base64');
    const request = (secure ? https : http).request({
      protocol,
      method,
      port,
      agent: secure ? agent.https : agent.http,
      hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
      path: `${url.origin}${url.pathname}${url.search}`,
      headers: {
        ...headers,
        host: url.host,
        ...((username || password) && { 'proxy-authorization': `Basic ${credentials}` }),
      },
    });
    request.end(body);
    return listen(request, handlers);
  };

function listen(request: ClientRequest, handlers: ResponseHandlers): ClientRequest {
  let response: IncomingMessage | undefined;
  request.once('socket', handlers.onSocket);
  request.once('response', (arrived) => {
    response = arrived;
    const statedBytes = arrived.headers['content-length'];
    let bytesLeft = statedBytes === undefined || BODILESS.has(arrived.statusCode!) ? 0 : Number(statedBytes);
    // These listeners stay: a destroyed response may still emit an error.
    arrived.on('error', handlers.onError);
    arrived.on('data', (chunk: Uint8Array) => {
      bytesLeft -= chunk.byteLength;
      handlers.onData(chunk);
    });
    arrived.once('end', () =>
      bytesLeft > 0 ? handlers.onError({ code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' }) : handlers.onEnd(),
    );
    handlers.onResponse(arrived, arrived.socket.remoteAddress);
  });
  request.on('error', handlers.onError);
  // An unexpected protocol upgrade closes the socket without any other event.
  request.once('close', () => response ?? handlers.onError({ code: 'ECONNRESET' }));
  return request;
}
