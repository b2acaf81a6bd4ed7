/**
 * s3:// buckets: Amazon's, found wherever they are, or those of a server that the user names.
 * Source: Amazon S3 user guide, "Virtual hosting of general purpose buckets".
 */
import { CredentialsError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { AddressPolicy, HttpReply } from '../http/http-request.ts';
import { awsNotFoundAdvice, readAwsSources, findAwsSigner } from './aws-signer.ts';
import { BucketAccess, type BucketAddress } from './bucket-access.ts';
import { parseEndpoint } from './bucket-endpoint.ts';
import { isAwsCredentials } from './bucket-options.ts';
import { HttpStore } from './http-store.ts';
import type { OpenStoreOptions } from './open-options.ts';
import { s3Error } from './s3-error.ts';
import { decideSigning } from './signing.ts';

/**
 * @param prefix Encoded; empty or with a slash at its end.
 * @throws PathError, CredentialsError; see `openStore`.
 */
export function openS3(bucket: string, prefix: string, options: OpenStoreOptions): HttpStore {
  const { http, env = process.env, credentials, profile, requesterPays, headers } = options;
  const keys = isAwsCredentials(credentials) ? credentials : undefined;
  if (typeof credentials === 'object' && !keys)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `the credentials given are not AWS's, and s3://${bucket} wants such`,
    );

  const named = options.endpoint ?? (env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || undefined);
  const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const place =
    named === undefined
      ? new AmazonPlace(bucket, prefix, region, options.dualstack ?? false, options.allowAddress ?? 'any')
      : new NamedPlace(parseEndpoint(named), bucket, prefix, region);
  const payer = requesterPays ? { 'x-amz-request-payer': 'requester' } : undefined;
  const setRegion = (other: string): void => void (region === undefined && (place.region ??= other));
  const access = new BucketAccess({
    http,
    address: place,
    findSigner: () =>
      findAwsSigner({
        bucket,
        env,
        credentials: keys,
        profile,
        region: () => place.region ?? DEFAULT_REGION,
        setRegion,
      }),
    headers: headers || payer ? { ...headers, ...payer } : undefined,
    ...decideSigning({
      credentials,
      profile,
      requesterPays,
      headers,
      server: new URL(place.url('')),
      notFound: () => awsNotFoundAdvice({ bucket, env, profile }),
    }),
  });
  const identity = async (): Promise<unknown> => [
    headers,
    credentials,
    profile,
    await readAwsSources({ bucket, env }),
  ];
  return new HttpStore(place.url(''), { request: access.request, isBucket: true, identity });
}

const DEFAULT_REGION = 'us-east-1';

interface S3Place extends BucketAddress {
  /** undefined for Amazon's endpoint without a region, which leads to most buckets and belongs to us-east-1. */
  region: string | undefined;
}

class AmazonPlace implements S3Place {
  readonly followRedirects = false; // they are answered by going to the region they are about
  constructor(
    readonly bucket: string,
    readonly prefix: string,
    public region: string | undefined,
    readonly dualstack: boolean,
    readonly allowAddress: AddressPolicy,
  ) {}

  url(path: string): string {
    const { bucket, prefix, region } = this,
      ofRegion = this.dualstack ? 's3.dualstack' : 's3';
    const server = `${region === undefined ? 's3' : `${ofRegion}.${region}`}.amazonaws.com${region?.startsWith('cn-') ? '.cn' : ''}`;
    // The certificate of *.s3.amazonaws.com covers one label only.
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

/** Its region is a matter of signatures only. */
class NamedPlace implements S3Place {
  readonly followRedirects = true;
  readonly allowAddress = 'any'; // the user named it
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
