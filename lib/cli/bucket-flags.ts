/** Flags of commands that read a bucket. Secrets are no flags: other users of a machine see those. */
import { type Command, Option } from 'commander';
import type { StorageOptions } from '../storage/bucket-options.ts';
import { text } from './option-values.ts';

export interface BucketFlags {
  anonymous?: boolean;
  awsProfile?: string;
  endpoint?: string;
  requesterPays?: boolean | string;
}

export const bucketFlags = (command: Command): Command =>
  command
    .addOption(
      new Option('--anonymous', 'send no credentials to a gs:// or s3:// bucket').conflicts([
        'awsProfile',
        'requesterPays',
      ]),
    )
    .option(
      '--aws-profile <name>',
      'profile in ~/.aws for an s3:// bucket (default: as the AWS CLI, if the bucket is not public)',
      text,
    )
    .option(
      '--endpoint <url>',
      'server of gs:// or s3:// buckets, such as MinIO (default: AWS_ENDPOINT_URL_S3; STORAGE_EMULATOR_HOST)',
      text,
    )
    .option(
      '--requester-pays [project]',
      "you pay for the reads; gs://: this project, or your credentials' own",
    );

export function storageOf({ anonymous, awsProfile, endpoint, requesterPays }: BucketFlags): StorageOptions {
  return { credentials: anonymous ? 'anonymous' : undefined, profile: awsProfile, endpoint, requesterPays };
}
