/** Checks which token is sent to a host. */
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { findToken, tokenFiles, type FoundToken, type TokenSearch } from '../chunkedgraph/server/token.ts';
import { fail, ok, warn, type Finding } from './findings.ts';

/** The finding about a token, and the token itself if there is one. */
export interface TokenCheck {
  finding: Finding;
  token?: FoundToken;
}

/** Finds the token for a host, and reports where it comes from or why there is none. */
export async function checkToken(host: Host, { token, authHost }: TokenSearch): Promise<TokenCheck> {
  const warnings: string[] = [];
  try {
    const found = await findToken(host, { token, authHost }, (message) => warnings.push(message));
    if (found)
      return { finding: ok('token', `${host.origin} gets the token from ${found.from}`), token: found };
  } catch (error) {
    return { finding: fail('token', error) };
  }
  if (token === null) return { finding: ok('token', `${host.origin} gets no token, as requested`) };
  if (warnings.length > 0) return { finding: warn('token', warnings.join('; '), 'use https://') };
  return {
    finding: warn(
      'token',
      `no token for ${host.origin}: CAVE_TOKEN is not set, and these files do not exist: ${tokenFiles(host, process.env, authHost).join(', ')}`,
      `if the server needs a token: graphene-points login ${(authHost ?? host).origin}`,
    ),
  };
}
