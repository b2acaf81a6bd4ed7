/** What may be said about a gs:// or s3:// bucket, checked before anything is done. */
import { PathError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { AwsCredentials } from './aws-signer.ts';
import type { GoogleCredentials } from './google-signer.ts';

export interface BucketOptions {
  /**
   * Who asks. `default`: nobody in particular, as for a public bucket, and once the bucket refuses that, whoever CloudVolume's secret
   * files or the vendor's own search name. `anonymous`: never anybody. Credentials given are sent from the first request on.
   * @default 'default'
   */
  credentials?: 'default' | 'anonymous' | GoogleCredentials | AwsCredentials;
  /** s3: a profile in ~/.aws, used from the first request on. */
  profile?: string;
  /** s3: where the bucket is. @default AWS_REGION, AWS_DEFAULT_REGION, else us-east-1; AWS itself says when that is wrong */
  region?: string;
  /**
   * Another server than Google's or Amazon's, such as MinIO: buckets are the first part of its paths.
   * @default gs: STORAGE_EMULATOR_HOST (never with credentials); s3: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL
   */
  endpoint?: string;
  /** The bucket's reader pays. gs: true for the credentials' own project, or a project's ID. */
  requesterPays?: boolean | string;
}

/** @throws TypeError naming the option that cannot be meant. */
export function checkBucketOptions({
  credentials,
  profile,
  region,
  endpoint,
  requesterPays,
}: BucketOptions): void {
  if (
    credentials !== undefined &&
    credentials !== 'default' &&
    credentials !== 'anonymous' &&
    !isGoogle(credentials) &&
    !isAws(credentials)
  )
    throw new TypeError(
      "credentials are 'default', 'anonymous', the content of a Google key file, or {accessKeyId, secretAccessKey}",
    );
  for (const [name, value] of Object.entries({ profile, region, endpoint }))
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new TypeError(`${name} is a text that is not empty`);
  if (
    requesterPays !== undefined &&
    typeof requesterPays !== 'boolean' &&
    !(typeof requesterPays === 'string' && /^[\w.:-]+$/.test(requesterPays))
  )
    throw new TypeError("requesterPays is true, false or a Google project's ID");
  if (credentials === 'anonymous' && (profile !== undefined || requesterPays))
    throw new TypeError("credentials: 'anonymous' rules out profile and requesterPays");
}

export const isGoogle = (credentials: unknown): credentials is GoogleCredentials =>
  typeof (credentials as GoogleCredentials | null)?.type === 'string';

export function isAws(credentials: unknown): credentials is AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = (credentials ?? {}) as Partial<AwsCredentials>;
  return (
    typeof accessKeyId === 'string' &&
    typeof secretAccessKey === 'string' &&
    (sessionToken === undefined || typeof sessionToken === 'string')
  );
}

/**
 * The server that the user named, without a slash at its end.
 * @throws PathError BAD_PATH.
 */
export function endpointUrl(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    throw new PathError('BAD_PATH', `endpoint ${redactUrl(endpoint)} is not http(s)://HOST[:PORT][/PATH]`);
  return url;
}

/** Credentials go nowhere else. */
export const isSafe = (url: URL): boolean => url.protocol === 'https:' || isLoopbackHost(url.hostname);
