/**
 * GETs, and what goes to a proxy as it is, by node:http itself: a third of the CPU per request that got takes, for the requests that come by the thousand. Redirects,
 * repeats, timeouts and bounds are not looked after here.
 */
import http, { type Agent as HttpAgent, type ClientRequest, type IncomingMessage } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { RequestSender, ResponseHandlers } from './exchange.ts';

/** Statuses whose content length is not that of what follows. RFC 9110, 8.6. */
const BODILESS = new Set([204, 304]);

export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
}

/** GETs without a body. */
export const sendGet =
  (agent: Agents): RequestSender =>
  ({ url, headers }, wire) =>
    // By the modules' own properties: what stands in for the network in tests replaces those.
    heard(
      url.protocol === 'https:'
        ? https.get(url, { agent: agent.https, headers })
        : http.get(url, { agent: agent.http, headers }),
      wire,
    );

/**
 * `http://` handed to a proxy, which reads the whole URL in the request line. RFC 9112, 3.2.2. (npm's http-proxy-agent sends a body twice
 * when it comes while the proxy is being connected to.)
 */
export const sendToProxy =
  (proxy: URL, agent: Agents): RequestSender =>
  ({ url, method, headers, body }, wire) => {
    const { protocol, hostname, port, username, password } = proxy,
      secure = protocol === 'https:';
    const proof = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      'base64',
    );
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
        ...((username || password) && { 'proxy-authorization': `Basic ${proof}` }),
      },
    });
    request.end(body);
    return heard(request, wire);
  };

function heard(request: ClientRequest, wire: ResponseHandlers): ClientRequest {
  let response: IncomingMessage | undefined;
  request.once('socket', wire.onSocket);
  request.once('response', (arrived) => {
    response = arrived;
    const stated = arrived.headers['content-length'];
    let left = stated === undefined || BODILESS.has(arrived.statusCode!) ? 0 : Number(stated);
    // Both stay: what was destroyed may still have something to say.
    arrived.on('error', wire.onError);
    arrived.on('data', (chunk: Uint8Array) => {
      left -= chunk.byteLength;
      wire.onData(chunk);
    });
    arrived.once('end', () =>
      left > 0 ? wire.onError({ code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' }) : wire.onEnd(),
    );
    wire.onResponse(arrived, arrived.socket.remoteAddress);
  });
  request.on('error', wire.onError);
  // A switch of protocols that nobody asked for closes the socket, and says nothing else.
  request.once('close', () => response ?? wire.onError({ code: 'ECONNRESET' }));
  return request;
}
