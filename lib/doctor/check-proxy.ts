/** How a place is reached, as findings. */
import { bypassesProxy, isProxyConfigured, proxyFor, describeProxy } from '../http/proxy.ts';
import { fail, ok, warn, type Finding } from './findings.ts';

/** How a place is reached, where the environment names proxies. */
export function* checkProxy(place: string, env: NodeJS.ProcessEnv = process.env): Generator<Finding> {
  if (!/^https?:/.test(place) || !(isProxyConfigured(env) || env.HTTP_PROXY)) return;
  const url = new URL(place),
    { origin } = url;
  try {
    const proxy = proxyFor(url, env);
    if (proxy) yield ok('proxy', `${origin} is reached through ${describeProxy(proxy)}`);
    else if (url.protocol === 'http:' && env.HTTP_PROXY && !bypassesProxy(url, env))
      yield warn(
        'proxy',
        `${origin} is reached without a proxy: HTTP_PROXY counts in lower case only`,
        'set http_proxy',
      );
    else yield ok('proxy', `${origin} is reached without a proxy`);
  } catch (error) {
    yield fail('proxy', error);
  }
}
