/** Agents that tunnel through a proxy. The package https-proxy-agent is loaded only when a proxy is used. */
import http, { type Agent as HttpAgent, type ClientRequest } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Agent, AgentConnectOpts } from 'agent-base';
import type { RequestSender } from './exchange.ts';
import { importPackage } from './import-package.ts';
import { proxyFor, proxyRefusalError } from './proxy.ts';

/** Limits of the connections through a proxy. */
export interface TunnelOptions {
  keepAlive: boolean;
  maxSockets: number;
  connectTimeoutMs: number;
}

/**
 * Creates an agent whose connections are tunnels through a proxy. A reply of the proxy itself is an error,
 * never the reply of the server: a 404 of the proxy does not mean that a chunk is not stored.
 */
export async function createTunnelAgent(
  proxy: URL,
  { connectTimeoutMs, ...options }: TunnelOptions,
): Promise<HttpsAgent> {
  const { HttpsProxyAgent } = await importPackage(() => import('https-proxy-agent'));

  class Tunnel extends HttpsProxyAgent<string> {
    override async connect(request: ClientRequest, target: AgentConnectOpts): Promise<Socket> {
      // Without this timer, a proxy could take any time. Only its own socket can be ended.
      const waiting = new AbortController(),
        common = this.connectOpts;
      const timer = setTimeout(() => waiting.abort(), connectTimeoutMs);
      let status = 200;
      request.once('proxyConnect', (reply: { statusCode: number }) => (status = reply.statusCode));
      this.connectOpts = { ...common, signal: waiting.signal };
      const connecting = super.connect(request, target); // reads `connectOpts` before it returns
      this.connectOpts = common;
      try {
        const socket = await connecting;
        if (status === 200) return socket;
        socket.destroy();
      } catch (error) {
        throw waiting.signal.aborted
          ? Object.assign(new Error('the proxy does not answer'), { code: 'ETIMEDOUT' })
          : error;
      } finally {
        clearTimeout(timer);
      }
      throw proxyRefusalError(status);
    }
  }

  return new Tunnel(proxy.href, options);
}

/**
 * Wraps a sender whose requests go through a proxy. Status 407 comes from the proxy and becomes an error. The
 * address of the proxy is dropped, because it says nothing about the server.
 */
export const withProxyReplies =
  (send: RequestSender): RequestSender =>
  (outgoing, handlers) =>
    send(outgoing, {
      ...handlers,
      onResponse: (response) =>
        response.statusCode === 407
          ? handlers.onError(proxyRefusalError(407))
          : handlers.onResponse(response, undefined),
    });

/**
 * Creates an agent for a vendor's library: each request uses the proxy that the environment names for its
 * host, or none.
 */
export async function createEnvironmentAgent(
  env: NodeJS.ProcessEnv,
  connectTimeoutMs = 10_000,
): Promise<Agent> {
  const { Agent } = await importPackage(() => import('agent-base'));
  const agents = new Map<string, Promise<HttpsAgent>>();
  return new (class extends Agent {
    override async connect(
      _request: ClientRequest,
      { secureEndpoint, host, port }: AgentConnectOpts,
    ): Promise<HttpAgent> {
      const name = host?.includes(':') ? `[${host}]` : host;
      const proxy = proxyFor(new URL(`${secureEndpoint ? 'https' : 'http'}://${name}:${port}`), env)?.url;
      if (!proxy) return secureEndpoint ? https.globalAgent : http.globalAgent;
      const tunnels =
        agents.get(proxy.href) ??
        createTunnelAgent(proxy, { keepAlive: false, maxSockets: Infinity, connectTimeoutMs });
      agents.set(proxy.href, tunnels);
      return tunnels;
    }
  })();
}
