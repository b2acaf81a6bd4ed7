/**
 * Finds AWS credentials for a bucket and signs requests with them. The order of the search: the given
 * credentials, CloudVolume's files, then the same places as the AWS CLI. That last search and Signature V4
 * come from AWS packages, which are loaded when first needed.
 */
import { createHash, createHmac, type BinaryLike, type Hash, type Hmac } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SignatureV4 } from '@smithy/signature-v4';
import { CredentialsError } from '../base/errors.ts';
import { registerSecret } from '../base/secret-redaction.ts';
import type { Authorize, HttpReply } from '../http/http-request.ts';
import { createEnvironmentAgent } from '../http/proxy-agents.ts';
import { isProxyConfigured } from '../http/proxy.ts';
import { importPackage } from '../http/import-package.ts';
import { s3Error } from './s3-error.ts';
import { readContents, readFirstSecret, secretFilePaths, type SecretFile } from './secret-files.ts';
import { awaitVendor, type Signer } from './signer.ts';

/** AWS credentials: an access key, with a session token if the key is temporary. */
export interface AwsCredentials {
  /** The ID of the key. */
  accessKeyId: string;
  /** The secret of the key. It is never sent. */
  secretAccessKey: string;
  /** Required for temporary keys, for example those of AWS SSO. */
  sessionToken?: string;
}

const ADVICE = 'run `aws configure` or `aws sso login`, or set AWS_PROFILE';

/** Where to search for AWS credentials. */
export interface AwsSearch {
  bucket: string;
  env: NodeJS.ProcessEnv;
  /** Credentials from the user. If given, there is no search. */
  credentials?: AwsCredentials;
  /** A profile in ~/.aws, used instead of CloudVolume's files. */
  profile?: string;
  /** Returns the region to sign for. It is read for every request, because it may become known late. */
  region: () => string;
  /** Called with the region in the file of the credentials, if there is one. */
  setRegion: (region: string) => void;
}

/** Says where the search looked and what the user can do. For messages. */
export const awsNotFoundAdvice = ({
  bucket,
  env,
  profile,
}: Pick<AwsSearch, 'bucket' | 'env' | 'profile'>): string =>
  profile === undefined
    ? `no AWS credentials were found in ${secretFilePaths(bucket, 'aws', env).join(', ')}, the environment, ~/.aws, or a role of this machine; ${ADVICE}`
    : `no AWS credentials were found for profile ${JSON.stringify(profile)}; run \`aws configure --profile\` or \`aws sso login --profile\``;

/**
 * Reads the environment variables and files that decide which credentials the search finds. The role of a
 * machine is in neither. Source: AWS SDKs and Tools reference guide, "Settings reference".
 */
export async function readAwsSources({ bucket, env }: Pick<AwsSearch, 'bucket' | 'env'>): Promise<unknown> {
  const inHome = (name: string): string => join(homedir(), '.aws', name);
  const files = [
    ...secretFilePaths(bucket, 'aws', env),
    env.AWS_SHARED_CREDENTIALS_FILE || inHome('credentials'),
    env.AWS_CONFIG_FILE || inHome('config'),
  ];
  return [VARIABLES.map((name) => env[name]), await readContents(files)];
}

const VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

type Provider = (options?: { forceRefresh?: boolean }) => Promise<AwsCredentials>;

/**
 * Finds credentials and makes a signer; undefined if there are none.
 * @throws CredentialsError BAD_CREDENTIALS, UNUSABLE.
 */
export async function findAwsSigner(search: AwsSearch): Promise<Signer | undefined> {
  const { bucket, env, credentials, profile, setRegion } = search;
  const { SignatureV4 } = await importPackage(() => import('@smithy/signature-v4'));
  const signerOf = (from: string, provider: Provider): Signer =>
    new AwsSigner(SignatureV4, from, provider, search.region);
  if (credentials) return signerOf('the credentials option', () => Promise.resolve(credentials));
  const secret =
    profile === undefined ? await readFirstSecret(secretFilePaths(bucket, 'aws', env)) : undefined;
  if (secret) {
    const keys = readKeys(secret);
    const { AWS_DEFAULT_REGION: home } = secret.json;
    if (typeof home === 'string') setRegion(home);
    return signerOf(secret.file, () => Promise.resolve(keys));
  }
  const from = profile === undefined ? "AWS's own search" : `profile ${JSON.stringify(profile)}`;
  const { defaultProvider } = await importPackage(() => import('@aws-sdk/credential-provider-node'));
  const silent = (): void => undefined;
  // `ignoreCache`: the cached files of the package would stay after a key was rotated.
  const agent = isProxyConfigured(env) ? await createEnvironmentAgent(env) : undefined;
  const clientConfig = agent && { requestHandler: { httpAgent: agent, httpsAgent: agent } };
  const provider = defaultProvider({
    profile,
    ignoreCache: true,
    ...(clientConfig && { clientConfig }),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const exists = await awaitVendor(
    from,
    provider().then(() => true, rethrowUnlessNoneFound),
    [],
    ADVICE,
  );
  return exists ? signerOf(from, provider) : undefined;
}

function registerSecrets(credentials: AwsCredentials): AwsCredentials {
  registerSecret(credentials.secretAccessKey);
  registerSecret(credentials.sessionToken);
  return credentials;
}

/**
 * Recognizes the error that means "no credentials anywhere". Rethrows any other: there, a configured source
 * failed.
 */
function rethrowUnlessNoneFound(error: unknown): false {
  if (
    error instanceof Error &&
    error.name === 'CredentialsProviderError' &&
    /from any providers/.test(error.message)
  )
    return false;
  throw error;
}

/** Reads the keys from a CloudVolume file, which names them like environment variables. */
function readKeys({ file, json }: SecretFile): AwsCredentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = json;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `${file} does not contain AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    );
  return { accessKeyId, secretAccessKey, ...(typeof sessionToken === 'string' && { sessionToken }) };
}

/**
 * Error codes after which fresh credentials from the same source may work. Source: Amazon S3 API reference,
 * "List of error codes".
 */
const RENEWABLE_CODES = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
]);

class AwsSigner implements Signer {
  /** How far the clock of the server is ahead of the local clock. */
  #skewMs = 0;
  /** The renewal in progress after a refusal. All requests wait for it. */
  #refresh: Promise<AwsCredentials> | undefined;
  readonly #provider: Provider;
  readonly #signature: SignatureV4;
  readonly source: string;

  constructor(Signature: typeof SignatureV4, from: string, provider: Provider, region: () => string) {
    this.source = from;
    this.#provider = provider;
    const credentials = async (): Promise<AwsCredentials> =>
      registerSecrets(await awaitVendor(from, this.#refresh ?? provider(), [], ADVICE));
    this.#signature = new Signature({
      service: 's3',
      region: async () => region(),
      credentials,
      sha256: Sha256,
      uriEscapePath: false,
    });
  }

  readonly sign: Authorize = async ({ method, url, headers }) => {
    const port = url.port === '' ? undefined : Number(url.port);
    const signed = await this.#signature.sign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        port,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { ...signedHeaders(headers), host: url.host },
      },
      { signingDate: new Date(Date.now() + this.#skewMs) },
    );
    return { ...amazonHeaders(signed.headers), authorization: signed.headers.authorization };
  };

  renewAfter(refusal: HttpReply): boolean {
    const { code } = s3Error(refusal);
    if (code === 'RequestTimeTooSkewed') {
      const serverMs = Date.parse(refusal.headers.date ?? '');
      if (Number.isNaN(serverMs)) return false;
      this.#skewMs = serverMs - Date.now();
      return true;
    }
    if (code === undefined || !RENEWABLE_CODES.has(code)) return false;
    const refresh = this.#provider({ forceRefresh: true });
    const done = (): void => void (this.#refresh = undefined);
    refresh.then(done, done); // `sign` reports a failure
    this.#refresh = refresh;
    return true;
  }
}

/** Selects the headers that are signed, besides `host`: all that must be, and those of a body. */
const signedHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz-') || name === 'content-md5' || name === 'content-type',
    ),
  );

/** Selects the headers that the signature may have changed. */
const amazonHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-')));

type Source = string | ArrayBuffer | ArrayBufferView;

/** Adapts Node's hash to the interface that the signing package expects. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: Source) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as BinaryLike);
  }

  update(chunk: Source): void {
    this.#hash.update(chunk as BinaryLike);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('a digest can be computed once only');
  }
}
