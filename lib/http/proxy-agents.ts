/** Tunnels through a proxy, by npm's https-proxy-agent, which is loaded once there is a proxy. */
import http, { type Agent as HttpAgent, type ClientRequest } from 'node:http';
import https, { type Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Agent, AgentConnectOpts } from 'agent-base';
import type { RequestSender } from './exchange.ts';
import { importPackage } from './import-package.ts';
import { proxyFor, proxyRefusalError } from './proxy.ts';

export interface TunnelOptions {
  keepAlive: boolean;
  maxSockets: number;
  connectTimeoutMs: number;
}

/**
 * Makes connections that are tunnels. What a proxy says of one that it does not open is never taken for the server's answer: its 404 is
 * not that of a chunk.
 */
export async function createTunnelAgent(
  proxy: URL,
  { connectTimeoutMs, ...options }: TunnelOptions,
): Promise<HttpsAgent> {
  const { HttpsProxyAgent } = await importPackage(() => import('https-proxy-agent'));

  class Tunnel extends HttpsProxyAgent<string> {
    override async connect(request: ClientRequest, target: AgentConnectOpts): Promise<Socket> {
      // Nothing else bounds how long a proxy may take, and only its own socket can be ended.
      const waiting = new AbortController(),
        common = this.connectOpts;
      const timer = setTimeout(() => waiting.abort(), connectTimeoutMs);
      let status = 200;
      request.once('proxyConnect', (reply: { statusCode: number }) => (status = reply.statusCode));
      this.connectOpts = { ...common, signal: waiting.signal };
      const connecting = super.connect(request, target); // reads them at once
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

/** A reply comes from the proxy's address, which says nothing about the server's; 407 is the proxy's own. */
export const withProxyReplies =
  (send: RequestSender): RequestSender =>
  (outgoing, wire) =>
    send(outgoing, {
      ...wire,
      onResponse: (response) =>
        response.statusCode === 407
          ? wire.onError(proxyRefusalError(407))
          : wire.onResponse(response, undefined),
    });

/** For a vendor's library, which asks hosts of its own choice: an agent that goes through the proxy of each, or straight. */
export async function createEnvironmentAgent(
  env: NodeJS.ProcessEnv,
  connectTimeoutMs = 10_000,
): Promise<Agent> {
  const { Agent } = await importPackage(() => import('agent-base'));
  const known = new Map<string, Promise<HttpsAgent>>();
  return new (class extends Agent {
    override async connect(
      _request: ClientRequest,
      { secureEndpoint, host, port }: AgentConnectOpts,
    ): Promise<HttpAgent> {
      const name = host?.includes(':') ? `[${host}]` : host;
      const proxy = proxyFor(new URL(`${secureEndpoint ? 'https' : 'http'}://${name}:${port}`), env)?.url;
      if (!proxy) return secureEndpoint ? https.globalAgent : http.globalAgent;
      const tunnels =
        known.get(proxy.href) ??
        createTunnelAgent(proxy, { keepAlive: false, maxSockets: Infinity, connectTimeoutMs });
      known.set(proxy.href, tunnels);
      return tunnels;
    }
  })();
}
