/** What may be said about a bucket, checked before anything is done. */
import { defineKind, nonEmptyText, formatType, type ValueKind } from '../base/value-kinds.ts';
import type { OptionTable } from '../base/option-table.ts';
import type { AwsCredentials } from './aws-signer.ts';
import type { GoogleCredentials } from './google-signer.ts';

export interface BucketOptions {
  /**
   * Who asks. `default`: nobody in particular, as for a public bucket, and once the bucket refuses that, whoever CloudVolume's secret
   * files or the vendor's own search name. `anonymous`: never anybody. Credentials given are sent from the first request on.
   * @default 'default'
   */
  credentials?: 'default' | 'anonymous' | GoogleCredentials | AwsCredentials;
  /** s3: a profile in ~/.aws, used from the first request on. @default as the AWS CLI, if the bucket is not public */
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

/**
 * Credentials of the bucket; those of the graph server are apart and never sent there. Without any, a gs:// or s3:// bucket that is not
 * public is read with what CloudVolume, gcloud or the AWS CLI use on this machine.
 */
export interface StorageOptions extends BucketOptions {
  /** Sent as `Authorization: Bearer …` to the bucket's host, over TLS or to loopback only; instead of `credentials`. */
  token?: string;
  /** Sent to the bucket's host with every read. */
  headers?: Record<string, string>;
}

const CREDENTIALS = defineKind(
  "'default', 'anonymous', the content of a Google key file, or {accessKeyId, secretAccessKey}",
  (value) =>
    value === 'default' || value === 'anonymous' || isGoogleCredentials(value) || isAwsCredentials(value),
  formatType,
);
const TOKEN = defineKind(
  'a text without spaces',
  (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value),
  (value) => (typeof value === 'string' ? 'one with spaces or other characters' : formatType(value)),
);
const PAYER = defineKind(
  "true, false or a Google project's ID",
  (value) => typeof value === 'boolean' || (typeof value === 'string' && /^[\w.:-]+$/.test(value)),
);

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = defineKind(
  'a text without line ends',
  (value) => typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
  (value) => (typeof value === 'string' ? 'one with characters that no header has' : formatType(value)),
);
const HEADERS: ValueKind = {
  expected: 'an object of header names and texts',
  check: (name, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TypeError(`${name} is ${HEADERS.expected}, not ${formatType(value)}`);
    for (const [header, content] of Object.entries(value)) {
      if (!HEADER_NAME.test(header))
        throw new TypeError(
          `${name} has ${JSON.stringify(header.slice(0, 60))}, which is not a header's name`,
        );
      HEADER_VALUE.check(`${name}[${JSON.stringify(header)}]`, content);
    }
  },
};

export const STORAGE_OPTIONS = {
  credentials: {
    kind: CREDENTIALS,
    default: "'default'",
    flag: '--anonymous',
    says: 'who asks; with anonymous no credentials are sent to a gs:// or s3:// bucket',
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
    default: 'AWS_REGION, AWS_DEFAULT_REGION, else us-east-1; AWS itself says when that is wrong',
    says: 'where an s3:// bucket is',
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
    says: "you pay for the reads; gs://: this project, or your credentials' own",
  },
  token: {
    kind: TOKEN,
    says: "sent as `Authorization: Bearer …` to the bucket's host, instead of credentials",
  },
  headers: { kind: HEADERS, says: "sent to the bucket's host with every read" },
} as const satisfies OptionTable<StorageOptions>;

/** @throws TypeError for two that rule each other out; each was checked alone. */
export function checkStorageCombination({
  token,
  credentials = 'default',
  profile,
  requesterPays,
}: StorageOptions): void {
  if (token !== undefined && (credentials !== 'default' || profile !== undefined))
    throw new TypeError('storage.token is given instead of credentials or profile');
  if (credentials === 'anonymous' && (profile !== undefined || requesterPays))
    throw new TypeError("storage.credentials: 'anonymous' rules out profile and requesterPays");
}

export const isGoogleCredentials = (credentials: unknown): credentials is GoogleCredentials =>
  typeof (credentials as GoogleCredentials | null)?.type === 'string';

export function isAwsCredentials(credentials: unknown): credentials is AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = (credentials ?? {}) as Partial<AwsCredentials>;
  return (
    typeof accessKeyId === 'string' &&
    typeof secretAccessKey === 'string' &&
    (sessionToken === undefined || typeof sessionToken === 'string')
  );
}
