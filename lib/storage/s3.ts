/**
 * Opens s3:// buckets: Amazon's in any region, or those of a server that the user names.
 * Source: Amazon S3 user guide, "Virtual hosting of general purpose buckets".
 */
import { CredentialsError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { AddressPolicy, HttpReply } from '../http/http-request.ts';
import { awsNotFoundAdvice, readAwsSources, findAwsSigner } from './aws-signer.ts';
import { BucketAccess, type BucketAccessOptions, type BucketAddress } from './bucket-access.ts';
import { parseEndpoint } from './bucket-endpoint.ts';
import { isAwsCredentials } from './bucket-options.ts';
import { HttpStore } from './http-store.ts';
import { listS3 } from './list-bucket.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { s3Error } from './s3-error.ts';
import { decideSigning, signingOfWrites } from './signing.ts';
import { lazyWriter } from './uploads/object-writer.ts';

/**
 * Opens an s3:// bucket. Sends no request.
 * @param prefix Encoded path within the bucket; empty or with a slash at its end.
 * @throws PathError, CredentialsError; see `openStore`.
 */
export function openS3(bucket: string, prefix: string, options: OpenStoreOptions): HttpStore {
  const { http, env = process.env, credentials, profile, requesterPays, headers } = options;
  const keys = isAwsCredentials(credentials) ? credentials : undefined;
  if (typeof credentials === 'object' && !keys)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `s3://${bucket} needs AWS credentials, but other credentials were given`,
    );

  const endpoint = options.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined);
  const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const address =
    endpoint === undefined
      ? new AmazonAddress(bucket, prefix, region, options.dualstack ?? false, options.allowAddress ?? 'any')
      : new EndpointAddress(parseEndpoint(endpoint), bucket, prefix, region);
  const payer = requesterPays ? { 'x-amz-request-payer': 'requester' } : undefined;
  const setRegion = (other: string): void => void (region === undefined && (address.region ??= other));
  const signing = decideSigning({
    credentials,
    profile,
    requesterPays,
    headers,
    server: new URL(address.url('')),
    notFound: () => awsNotFoundAdvice({ bucket, env, profile }),
  });
  const accessOptions: BucketAccessOptions = {
    http,
    address,
    findSigner: () =>
      findAwsSigner({
        bucket,
        env,
        credentials: keys,
        profile,
        region: () => address.region ?? DEFAULT_REGION,
        setRegion,
      }),
    headers: headers || payer ? { ...headers, ...payer } : undefined,
    ...signing,
  };
  const identity = async (): Promise<unknown> => [
    headers,
    credentials,
    profile,
    await readAwsSources({ bucket, env }),
  ];
  const writer =
    options.access === 'write'
      ? lazyWriter(async () => {
          const { S3Writer } = await import('./uploads/s3-writer.ts');
          return new S3Writer(
            new BucketAccess({ ...accessOptions, sign: signingOfWrites(signing) }),
            address,
          );
        })
      : undefined;
  const rootAddress: BucketAddress = {
    followRedirects: address.followRedirects,
    allowAddress: address.allowAddress,
    learnFrom: (reply) => address.learnFrom(reply),
    errorCode: (reply) => address.errorCode(reply),
    url: (path) => address.url('').slice(0, -prefix.length || undefined) + path,
  };
  const list = listS3(
    new BucketAccess({ ...accessOptions, address: rootAddress }),
    rootAddress.url(''),
    prefix,
  );
  const { request } = new BucketAccess(accessOptions);
  return new HttpStore(address.url(''), { request, isBucket: true, identity, writer, list });
}

const DEFAULT_REGION = 'us-east-1';

interface S3Address extends BucketAddress {
  /**
   * undefined for Amazon's endpoint without a region. It belongs to us-east-1 and redirects to most buckets.
   */
  region: string | undefined;
}

class AmazonAddress implements S3Address {
  readonly followRedirects = false; // `learnFrom` reads the new region from a redirect
  constructor(
    readonly bucket: string,
    readonly prefix: string,
    public region: string | undefined,
    readonly dualstack: boolean,
    readonly allowAddress: AddressPolicy,
  ) {}

  url(path: string): string {
    const { bucket, prefix, region } = this,
      service = this.dualstack ? 's3.dualstack' : 's3';
    const server = `${region === undefined ? 's3' : `${service}.${region}`}.amazonaws.com${region?.startsWith('cn-') ? '.cn' : ''}`;
    // The certificate of *.s3.amazonaws.com does not cover a bucket name with dots.
    const base = bucket.includes('.') ? `https://${server}/${bucket}` : `https://${bucket}.${server}`;
    return `${base}/${prefix}${path}`;
  }

  learnFrom(reply: HttpReply): boolean {
    const { region } = s3Error(reply);
    if (region === undefined || region === (this.region ?? DEFAULT_REGION)) return false;
    this.region = region;
    return true;
  }

  errorCode = (reply: HttpReply): string | undefined => s3Error(reply).code;
}

/** A bucket on a server that the user named. Its region only matters for signatures. */
class EndpointAddress implements S3Address {
  readonly followRedirects = true;
  readonly allowAddress = 'any'; // the user named the server
  readonly #base: string;

  constructor(
    endpoint: URL,
    bucket: string,
    prefix: string,
    public region: string | undefined,
  ) {
    this.#base = `${redactUrl(endpoint).replace(/\/+$/, '')}/${bucket}/${prefix}`;
  }

  url(path: string): string {
    return this.#base + path;
  }

  learnFrom(reply: HttpReply): boolean {
    const { code, region } = s3Error(reply);
    if (
      code !== 'AuthorizationHeaderMalformed' ||
      region === undefined ||
      region === (this.region ?? DEFAULT_REGION)
    )
      return false;
    this.region = region;
    return true;
  }

  errorCode = (reply: HttpReply): string | undefined => s3Error(reply).code;
}
