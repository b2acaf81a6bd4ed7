/** Which token a host gets, as a finding. */
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { findToken, tokenFiles, type FoundToken, type TokenSearch } from '../chunkedgraph/server/token.ts';
import { fail, ok, warn, type Finding } from './findings.ts';

export interface TokenCheck {
  finding: Finding;
  token?: FoundToken;
}

/** Which token a host gets; why it gets none. */
export async function checkToken(host: Host, { token, authHost }: TokenSearch): Promise<TokenCheck> {
  const heard: string[] = [];
  try {
    const found = await findToken(host, { token, authHost }, (message) => heard.push(message));
    if (found)
      return { finding: ok('token', `${host.origin} gets the one from ${found.from}`), token: found };
  } catch (error) {
    return { finding: fail('token', error) };
  }
  if (token === null) return { finding: ok('token', `${host.origin} gets none, as was asked for`) };
  if (heard.length > 0) return { finding: warn('token', heard.join('; '), 'use https://') };
  return {
    finding: warn(
      'token',
      `none for ${host.origin}: CAVE_TOKEN is not set, and there is no ${tokenFiles(host, process.env, authHost).join(', ')}`,
      `if it wants one: graphene-points login ${(authHost ?? host).origin}`,
    ),
  };
}
