/** The options of a bucket, and the table that checks and documents them. */
import { defineKind, nonEmptyText, formatType, type ValueKind } from '../base/value-kinds.ts';
import type { OptionTable } from '../base/option-table.ts';
import type { AwsCredentials } from './aws-signer.ts';
import type { GoogleCredentials } from './google-signer.ts';

/** How to read a gs:// or s3:// bucket: credentials, server, region, and who pays. */
export interface BucketOptions {
  /**
   * The credentials for the bucket.
   * - `'default'`: anonymous requests. If the bucket refuses them, credentials from CloudVolume's secret
   *   files, or those that gcloud or the AWS CLI would use.
   * - `'anonymous'`: no credentials, ever.
   * - An object: these credentials, from the first request.
   * @default 'default'
   */
  credentials?: 'default' | 'anonymous' | GoogleCredentials | AwsCredentials;
  /**
   * s3: the name of a profile in ~/.aws, used from the first request.
   * @default as the AWS CLI, if the bucket is not public
   */
  profile?: string;
  /**
   * s3: the AWS region of the bucket.
   * @default AWS_REGION, AWS_DEFAULT_REGION, else us-east-1; AWS corrects a wrong region
   */
  region?: string;
  /**
   * URL of a server that is not Google's or Amazon's, such as MinIO. The bucket is the first part of its
   * paths.
   * @default gs: STORAGE_EMULATOR_HOST (never with credentials); s3: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL
   */
  endpoint?: string;
  /**
   * You pay for the reads of the bucket. For gs, give the ID of the project that pays, or true for the
   * project of the credentials.
   */
  requesterPays?: boolean | string;
}

/**
 * How to read the store of a volume. Its credentials are separate from the token of the graph server, which
 * is never sent to a store. Without any option, a private gs:// or s3:// bucket is read with the credentials
 * that CloudVolume, gcloud or the AWS CLI use on this machine.
 */
export interface StorageOptions extends BucketOptions {
  /**
   * A token that is sent as `Authorization: Bearer …` to the bucket's host, over TLS or to loopback only. It
   * replaces `credentials` and `profile`.
   */
  token?: string;
  /** Headers that are sent to the bucket's host with every read. */
  headers?: Record<string, string>;
}

const CREDENTIALS = defineKind(
  "'default', 'anonymous', the content of a Google key file, or {accessKeyId, secretAccessKey}",
  (value) =>
    value === 'default' || value === 'anonymous' || isGoogleCredentials(value) || isAwsCredentials(value),
  formatType,
);
const TOKEN = defineKind(
  'a string without spaces',
  (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
  (value) => (typeof value === 'string' ? 'a string with spaces or special characters' : formatType(value)),
);
const PAYER = defineKind(
  "true, false or a Google project's ID",
  (value) => typeof value === 'boolean' || (typeof value === 'string' && /^[\w.:-]+$/.test(value)),
);

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = defineKind(
  'a string without line ends',
  (value) => typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
  (value) =>
    typeof value === 'string' ? 'a string with characters that a header may not have' : formatType(value),
);
const HEADERS: ValueKind = {
  expected: 'an object of header names and strings',
  check: (name, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TypeError(`${name} is ${HEADERS.expected}, not ${formatType(value)}`);
    for (const [header, content] of Object.entries(value)) {
      if (!HEADER_NAME.test(header))
        throw new TypeError(
          `${name} has ${JSON.stringify(header.slice(0, 60))}, which is not the name of a header`,
        );
      HEADER_VALUE.check(`${name}[${JSON.stringify(header)}]`, content);
    }
  },
};

/** The storage options: how each is checked, its default, its flag and its help. */
export const STORAGE_OPTIONS = {
  credentials: {
    kind: CREDENTIALS,
    default: "'default'",
    flag: '--anonymous',
    says: "credentials for a gs:// or s3:// bucket; 'anonymous' sends none",
    flagSays: 'send no credentials to a gs:// or s3:// bucket',
    flagMeans: 'anonymous',
  },
  profile: {
    kind: nonEmptyText('the name of a profile'),
    default: 'as the AWS CLI, if the bucket is not public',
    flag: '--aws-profile <name>',
    says: 'profile in ~/.aws for an s3:// bucket',
  },
  region: {
    kind: nonEmptyText('the name of a region'),
    default: 'AWS_REGION, AWS_DEFAULT_REGION, else us-east-1; AWS corrects a wrong region',
    says: 'AWS region of an s3:// bucket',
  },
  endpoint: {
    kind: nonEmptyText('the URL of a server'),
    default: 'gs: STORAGE_EMULATOR_HOST (never with credentials); s3: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL',
    flag: '--endpoint <url>',
    says: 'server of gs:// or s3:// buckets, such as MinIO',
  },
  requesterPays: {
    kind: PAYER,
    flag: '--requester-pays [project]',
    says: 'you pay for the reads; for gs://, this project or the project of your credentials',
  },
  token: {
    kind: TOKEN,
    says: "sent as `Authorization: Bearer …` to the bucket's host, instead of credentials",
  },
  headers: { kind: HEADERS, says: "sent to the bucket's host with every read" },
} as const satisfies OptionTable<StorageOptions>;

/** Checks that the storage options can be combined. @throws TypeError if two of them exclude each other. */
export function checkStorageCombination({
  token,
  credentials = 'default',
  profile,
  requesterPays,
}: StorageOptions): void {
  if (token !== undefined && (credentials !== 'default' || profile !== undefined))
    throw new TypeError('storage.token cannot be combined with storage.credentials or storage.profile');
  if (credentials === 'anonymous' && (profile !== undefined || requesterPays))
    throw new TypeError("storage.credentials: 'anonymous' cannot be combined with profile or requesterPays");
}

/** Whether a value looks like Google credentials. */
export const isGoogleCredentials = (credentials: unknown): credentials is GoogleCredentials =>
  typeof (credentials as GoogleCredentials | null)?.type === 'string';

/** Whether a value looks like AWS credentials. */
export function isAwsCredentials(credentials: unknown): credentials is AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = (credentials ?? {}) as Partial<AwsCredentials>;
  return (
    typeof accessKeyId === 'string' &&
    typeof secretAccessKey === 'string' &&
    (sessionToken === undefined || typeof sessionToken === 'string')
  );
}
