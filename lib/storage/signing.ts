/**
 * Decides whether requests to a bucket carry credentials, from the options and the address of the server.
 * The credentials themselves are found elsewhere.
 */
import { PathError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { BucketAccessOptions } from './bucket-access.ts';
import { isSafeForCredentials } from './bucket-endpoint.ts';
import type { BucketOptions } from './bucket-options.ts';

/** What decides whether requests carry credentials. */
export interface SigningContext extends Pick<BucketOptions, 'credentials' | 'profile' | 'requesterPays'> {
  /** The server that would receive the credentials. */
  server: URL;
  /** Headers from the user, for example with a token. If given, there is no search for credentials. */
  headers?: Readonly<Record<string, string>>;
  /** Whether the server is an emulator, which gets credentials only if the user gave some. */
  isEmulator?: boolean;
  /** Says what the user can do if there are no credentials. */
  notFound: () => string;
}

/**
 * Decides when to send credentials, and what to tell the user after a refusal.
 * @throws PathError INSECURE_TOKEN if credentials were given for a server that is neither on TLS nor on
 *   loopback.
 */
export function decideSigning({
  server,
  credentials = 'default',
  profile,
  requesterPays = false,
  headers,
  isEmulator = false,
  notFound,
}: SigningContext): Pick<BucketAccessOptions, 'sign' | 'advice'> {
  const isSafe = isSafeForCredentials(server),
    serverUrl = redactUrl(server);
  const hasCredentials = typeof credentials === 'object' || profile !== undefined;
  if (!isSafe && (hasCredentials || headers !== undefined))
    throw new PathError(
      'INSECURE_TOKEN',
      `credentials are sent only over TLS or to loopback, and ${serverUrl} is neither`,
    );
  const never = (reason: string) => ({ sign: 'never' as const, advice: () => reason });
  if (credentials === 'anonymous') return never("no credentials were sent (credentials: 'anonymous')");
  if (hasCredentials) return { sign: 'always', advice: notFound };
  if (headers !== undefined) return never('the server does not accept the given token or headers');
  if (!isSafe) return never(`credentials are sent only over TLS or to loopback, and ${serverUrl} is neither`);
  if (isEmulator) return never('requests to STORAGE_EMULATOR_HOST carry no credentials');
  return { sign: requesterPays ? 'always' : 'ifRefused', advice: notFound };
}

/** Returns when to sign the requests of uploads: bodies are not sent twice to find out. */
export const signingOfWrites = ({ sign }: Pick<BucketAccessOptions, 'sign'>): BucketAccessOptions['sign'] =>
  sign === 'ifRefused' ? 'ifFound' : sign;
