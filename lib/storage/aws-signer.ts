/**
 * AWS's credentials for a bucket: those given, CloudVolume's files, then the chain that the AWS CLI walks, too. Chain and Signature V4
 * are AWS's own packages, loaded once they are needed.
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

/** An access key; with a session token, a temporary one. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const ADVICE = 'run `aws configure` or `aws sso login`, or set AWS_PROFILE';

export interface AwsSearch {
  bucket: string;
  env: NodeJS.ProcessEnv;
  /** Given by the user; nothing is searched then. */
  credentials?: AwsCredentials;
  /** Of ~/.aws, instead of CloudVolume's files. */
  profile?: string;
  /** What requests are signed for; a bucket's region may turn out late. */
  region: () => string;
  /** A region that the credentials came with. */
  setRegion: (region: string) => void;
}

/** What the search looked at, for when it found nothing. */
export const awsNotFoundAdvice = ({
  bucket,
  env,
  profile,
}: Pick<AwsSearch, 'bucket' | 'env' | 'profile'>): string =>
  profile === undefined
    ? `no AWS credentials were found in ${secretFilePaths(bucket, 'aws', env).join(', ')}, the environment, ~/.aws, or a role of this machine; ${ADVICE}`
    : `no AWS credentials were found for profile ${JSON.stringify(profile)}; run \`aws configure --profile\` or \`aws sso login --profile\``;

/**
 * What credentials the search finds depends on: variables and files. A machine's own role is in neither.
 * Source: AWS SDKs and Tools reference guide, "Settings reference".
 */
export async function readAwsSources({ bucket, env }: Pick<AwsSearch, 'bucket' | 'env'>): Promise<unknown> {
  const ofUser = (name: string): string => join(homedir(), '.aws', name);
  const files = [
    ...secretFilePaths(bucket, 'aws', env),
    env.AWS_SHARED_CREDENTIALS_FILE || ofUser('credentials'),
    env.AWS_CONFIG_FILE || ofUser('config'),
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

/** @throws CredentialsError BAD_CREDENTIALS, UNUSABLE. */
export async function findAwsSigner(search: AwsSearch): Promise<Signer | undefined> {
  const { bucket, env, credentials, profile, setRegion } = search;
  const { SignatureV4 } = await importPackage(() => import('@smithy/signature-v4'));
  const signerOf = (from: string, provider: Provider): Signer =>
    new AwsSigner(SignatureV4, from, provider, search.region);
  if (credentials) return signerOf('the credentials option', () => Promise.resolve(credentials));
  const secret =
    profile === undefined ? await readFirstSecret(secretFilePaths(bucket, 'aws', env)) : undefined;
  if (secret) {
    const keys = keysIn(secret);
    const { AWS_DEFAULT_REGION: home } = secret.json;
    if (typeof home === 'string') setRegion(home);
    return signerOf(secret.file, () => Promise.resolve(keys));
  }
  const from = profile === undefined ? "AWS's own search" : `profile ${JSON.stringify(profile)}`;
  const { defaultProvider } = await importPackage(() => import('@aws-sdk/credential-provider-node'));
  const silent = (): void => undefined;
  // Its cache of files would outlive a rotation.
  const agent = isProxyConfigured(env) ? await createEnvironmentAgent(env) : undefined;
  const clientConfig = agent && { requestHandler: { httpAgent: agent, httpsAgent: agent } };
  const provider = defaultProvider({
    profile,
    ignoreCache: true,
    ...(clientConfig && { clientConfig }),
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const there = await awaitVendor(
    from,
    provider().then(() => true, noneAnywhere),
    [],
    ADVICE,
  );
  return there ? signerOf(from, provider) : undefined;
}

function kept(credentials: AwsCredentials): AwsCredentials {
  registerSecret(credentials.secretAccessKey);
  registerSecret(credentials.sessionToken);
  return credentials;
}

/** The last link of the chain gives up with these words; anything else is a link that should have worked. */
function noneAnywhere(error: unknown): false {
  if (
    error instanceof Error &&
    error.name === 'CredentialsProviderError' &&
    /from any providers/.test(error.message)
  )
    return false;
  throw error;
}

/** CloudVolume's spelling. */
function keysIn({ file, json }: SecretFile): AwsCredentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = json;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `${file} holds no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    );
  return { accessKeyId, secretAccessKey, ...(typeof sessionToken === 'string' && { sessionToken }) };
}

/** Refusals after which new credentials of the same source may do. Source: Amazon S3 API reference, "List of error codes". */
const STALE = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'InvalidAccessKeyId',
]);

class AwsSigner implements Signer {
  /** The server's clock less ours. */
  #skewMs = 0;
  /** Under way since a refusal; everybody waits for it. */
  #refresh: Promise<AwsCredentials> | undefined;
  readonly #provider: Provider;
  readonly #signature: SignatureV4;
  readonly source: string;

  constructor(Signature: typeof SignatureV4, from: string, provider: Provider, region: () => string) {
    this.source = from;
    this.#provider = provider;
    const credentials = async (): Promise<AwsCredentials> =>
      kept(await awaitVendor(from, this.#refresh ?? provider(), [], ADVICE));
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
        query: {},
        headers: { ...amazonHeaders(headers), host: url.host },
      },
      { signingDate: new Date(Date.now() + this.#skewMs) },
    );
    return { ...amazonHeaders(signed.headers), authorization: signed.headers.authorization };
  };

  canRenew(refusal: HttpReply): boolean {
    const { code } = s3Error(refusal);
    if (code === 'RequestTimeTooSkewed') {
      const theirs = Date.parse(refusal.headers.date ?? '');
      if (Number.isNaN(theirs)) return false;
      this.#skewMs = theirs - Date.now();
      return true;
    }
    if (code === undefined || !STALE.has(code)) return false;
    const refresh = this.#provider({ forceRefresh: true });
    const done = (): void => void (this.#refresh = undefined);
    refresh.then(done, done); // its failure is told by `sign`
    this.#refresh = refresh;
    return true;
  }
}

/** All of them have to be signed; of the others, `host` is enough. */
const amazonHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-')));

type Source = string | ArrayBuffer | ArrayBufferView;

/** Node's own hash in the shape that the signing package asks for. */
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
    throw new Error('made for one digest');
  }
}
