/** What a check found, as plain data. */
import {
  CredentialsError,
  GraphError,
  InfoError,
  LookupError,
  PathError,
  RequestError,
} from '../base/errors.ts';
import { safeText } from '../base/secret-redaction.ts';

export interface Finding {
  /** What was checked: `token`, `bucket`, … */
  name: string;
  verdict: 'ok' | 'warn' | 'fail';
  said: string;
  /** What to do about it. */
  next?: string;
}

export type Findings = AsyncGenerator<Finding, void, undefined>;

export const ok = (name: string, said: string): Finding => ({ name, verdict: 'ok', said: safeText(said) });
export const warn = (name: string, said: string, next?: string): Finding => ({
  name,
  verdict: 'warn',
  said: safeText(said),
  ...(next !== undefined && { next: safeText(next) }),
});

/** @param login Where tokens for what was asked are made. @throws error unless it is one of ours. */
export function fail(name: string, error: unknown, login?: string): Finding {
  if (!(error instanceof LookupError)) throw error;
  const next = adviceOn(error, login);
  return { name, verdict: 'fail', said: error.message, ...(next !== undefined && { next: safeText(next) }) };
}

function adviceOn(error: LookupError, login: string | undefined): string | undefined {
  if (error instanceof GraphError) return onGraph(error, login);
  if (error instanceof CredentialsError)
    return 'set the credentials of the bucket up anew, as gcloud or the AWS CLI do, or name others; --anonymous sends none';
  if (error instanceof RequestError && (error.status === 401 || error.status === 403))
    return 'the bucket wants other credentials: README, "Private buckets", says where they are looked for';
  if (error instanceof RequestError && (error.code === 'CONNECTION' || error.code === 'TIMEOUT'))
    return REACH;
  if (error instanceof PathError && error.code === 'FORBIDDEN_ADDRESS')
    return 'if you trust that place, name it yourself: --data-dir';
  if (error instanceof PathError && error.code === 'INSECURE_TOKEN') return 'use https://';
  if (error instanceof InfoError && error.code === 'NOT_FOUND')
    return 'check the path, letter by letter, and the server';
  return undefined;
}

const REACH = 'check the address, and whether this machine reaches it at all: network, VPN, firewall';

function onGraph({ code, status }: GraphError, login: string | undefined): string | undefined {
  switch (code) {
    case 'UNAUTHORIZED':
    case 'LOGIN_REDIRECT':
      return `make a token and keep it: graphene-points login${login === undefined ? '' : ` ${login}`}`;
    case 'FORBIDDEN':
      return 'ask those who run the dataset for that permission, and look whose token it is';
    case 'MISSING_TOS':
      return 'open that page in a browser, accept, and run this again';
    case 'CONNECTION':
    case 'TIMEOUT':
      return REACH;
    default:
      return status === 404 || status === 400 ? 'check the name of the table or datastack' : undefined;
  }
}
