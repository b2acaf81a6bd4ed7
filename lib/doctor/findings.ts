/** The results of checks as plain data, and the advice for each error. */
import {
  CredentialsError,
  GraphError,
  InfoError,
  LookupError,
  PathError,
  RequestError,
} from '../base/errors.ts';
import { safeText } from '../base/secret-redaction.ts';

/** The result of one check. */
export interface Finding {
  /** The subject of the check: `token`, `bucket`, … */
  name: string;
  verdict: 'ok' | 'warn' | 'fail';
  /** What was found. */
  said: string;
  /** What to do next. */
  next?: string;
}

/** Findings in the order of the checks. */
export type Findings = AsyncGenerator<Finding, void, undefined>;

/** Makes the finding of a check that passed. */
export const ok = (name: string, said: string): Finding => ({ name, verdict: 'ok', said: safeText(said) });
/** Makes the finding of a check that passed with a problem. */
export const warn = (name: string, said: string, next?: string): Finding => ({
  name,
  verdict: 'warn',
  said: safeText(said),
  ...(next !== undefined && { next: safeText(next) }),
});

/**
 * Makes the finding for an error of this package. Any other error is thrown again.
 *
 * @param tokenServer The server at which the user can make a token.
 */
export function fail(name: string, error: unknown, tokenServer?: string): Finding {
  if (!(error instanceof LookupError)) throw error;
  const next = adviceOn(error, tokenServer);
  return { name, verdict: 'fail', said: error.message, ...(next !== undefined && { next: safeText(next) }) };
}

function adviceOn(error: LookupError, tokenServer: string | undefined): string | undefined {
  if (error instanceof GraphError) return onGraph(error, tokenServer);
  if (error instanceof CredentialsError)
    return 'renew the credentials of the bucket with gcloud or the AWS CLI, or use others; --anonymous sends none';
  if (error instanceof RequestError && (error.status === 401 || error.status === 403))
    return 'the bucket needs other credentials: docs/buckets.md says where they are looked for';
  if (error instanceof RequestError && (error.code === 'CONNECTION' || error.code === 'TIMEOUT'))
    return REACH;
  if (error instanceof PathError && error.code === 'FORBIDDEN_ADDRESS')
    return 'if you trust that address, name it with --data-dir';
  if (error instanceof PathError && error.code === 'INSECURE_TOKEN') return 'use https://';
  if (error instanceof InfoError && error.code === 'NOT_FOUND')
    return 'check the spelling of the path, and the server';
  return undefined;
}

const REACH = 'check the address, and whether this machine can reach it: network, VPN, firewall';

function onGraph({ code, status }: GraphError, tokenServer: string | undefined): string | undefined {
  switch (code) {
    case 'UNAUTHORIZED':
    case 'LOGIN_REDIRECT':
      return `make a token and save it: graphene-points login${tokenServer === undefined ? '' : ` ${tokenServer}`}`;
    case 'FORBIDDEN':
      return 'ask the owners of the dataset for that permission, and check whose token it is';
    case 'MISSING_TOS':
      return 'open that page in a browser, accept the terms, and run this command again';
    case 'CONNECTION':
    case 'TIMEOUT':
      return REACH;
    default:
      return status === 404 || status === 400 ? 'check the name of the table or datastack' : undefined;
  }
}
