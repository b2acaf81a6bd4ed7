/** Whether a bucket's requests carry credentials, decided from what the user said and where they would go. Nothing is read for it. */
import { PathError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { BucketAccessOptions } from './bucket-access.ts';
import { isSafeForCredentials } from './bucket-endpoint.ts';
import type { BucketOptions } from './bucket-options.ts';

export interface SigningContext extends Pick<BucketOptions, 'credentials' | 'profile' | 'requesterPays'> {
  /** The server that would see them. */
  server: URL;
  /** Given by the user, a token for one; credentials are not looked for then. */
  headers?: Readonly<Record<string, string>>;
  /** An emulator is asked without credentials unless some are given. */
  isEmulator?: boolean;
  /** What to do when none are found. */
  notFound: () => string;
}

/** @throws PathError INSECURE_TOKEN when credentials were given for a server that is reached neither over TLS nor on loopback. */
export function decideSigning({
  server,
  credentials = 'default',
  profile,
  requesterPays = false,
  headers,
  isEmulator: emulated = false,
  notFound,
}: SigningContext): Pick<BucketAccessOptions, 'sign' | 'advice'> {
  const safe = isSafeForCredentials(server),
    where = redactUrl(server);
  const given = typeof credentials === 'object' || profile !== undefined;
  if (!safe && (given || headers !== undefined))
    throw new PathError(
      'INSECURE_TOKEN',
      `credentials go over TLS or to loopback only, and ${where} is neither`,
    );
  const never = (why: string) => ({ sign: 'never' as const, advice: () => why });
  if (credentials === 'anonymous') return never("no credentials are sent, as credentials: 'anonymous' says");
  if (given) return { sign: 'always', advice: notFound };
  if (headers !== undefined) return never('the headers or the token given are not accepted');
  if (!safe) return never(`credentials go over TLS or to loopback only, and ${where} is neither`);
  if (emulated) return never('STORAGE_EMULATOR_HOST is asked without credentials');
  return { sign: requesterPays ? 'always' : 'ifRefused', advice: notFound };
}
