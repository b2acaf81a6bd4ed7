/** Checks whether an address is reached through a proxy. */
import { bypassesProxy, isProxyConfigured, proxyFor, describeProxy } from '../http/proxy.ts';
import { fail, ok, warn, type Finding } from './findings.ts';

/** Reports how an address is reached, if the environment names proxies. */
export function* checkProxy(address: string, env: NodeJS.ProcessEnv = process.env): Generator<Finding> {
  if (!/^https?:/.test(address) || !(isProxyConfigured(env) || env.HTTP_PROXY)) return;
  const url = new URL(address),
    { origin } = url;
  try {
    const proxy = proxyFor(url, env);
    if (proxy) yield ok('proxy', `${origin} is reached through ${describeProxy(proxy)}`);
    else if (url.protocol === 'http:' && env.HTTP_PROXY && !bypassesProxy(url, env))
      yield warn(
        'proxy',
        `${origin} is reached without a proxy: HTTP_PROXY is ignored, only http_proxy is read`,
        'set http_proxy',
      );
    else yield ok('proxy', `${origin} is reached without a proxy`);
  } catch (error) {
    yield fail('proxy', error);
  }
}
