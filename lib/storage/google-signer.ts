/**
 * Finds Google credentials for a bucket and makes tokens from them. The order of the search: the given
 * credentials, CloudVolume's files, then Application Default Credentials. google-auth-library makes the
 * tokens. It is loaded only if credentials are found, and sends its requests through the SDK's HTTP client.
 * Source: "How Application Default Credentials works",
 * cloud.google.com/docs/authentication/application-default-credentials.
 */
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { withDeadline } from '../base/deadline.ts';
import { CredentialsError } from '../base/errors.ts';
import { registerSecret, registerSecretsIn } from '../base/secret-redaction.ts';
import type { Authorize, HttpClient, HttpReply } from '../http/http-request.ts';
import { importPackage } from '../http/import-package.ts';
import { createFetch } from '../http/create-fetch.ts';
import { readFirstSecret, secretFilePaths, type SecretFile } from './secret-files.ts';
import { awaitVendor, type Signer } from './signer.ts';

/**
 * Google credentials: the parsed key file of a service account, or any other Application Default Credentials
 * file.
 */
export interface GoogleCredentials {
  /** Such as `service_account` or `authorized_user`. */
  type: string;
  /** The other fields of the file. */
  [field: string]: unknown;
}

const SCOPES = {
  read: 'https://www.googleapis.com/auth/devstorage.read_only',
  write: 'https://www.googleapis.com/auth/devstorage.read_write',
};
const ADVICE =
  'run `gcloud auth application-default login`, or name a key file in GOOGLE_APPLICATION_CREDENTIALS';
/** How long to wait for the metadata server. If it exists, it answers at once. */
const PING_MS = 3000;
/** Addresses of the metadata server that the library uses. */
const METADATA = /^http:\/\/(169\.254\.169\.254|metadata\.google\.internal\.?)\//;
const SECRET_FIELDS = ['private_key', 'refresh_token', 'client_secret'];

/** Where to search for Google credentials. */
export interface GoogleSearch {
  bucket: string;
  http: HttpClient;
  env: NodeJS.ProcessEnv;
  /** Credentials from the user. If given, there is no search. */
  credentials?: GoogleCredentials;
  /** Whether the project of the credentials pays for the requests. */
  ownProjectPays: boolean;
  /** What the tokens allow. @default 'read' */
  access?: 'read' | 'write';
}

/** Says where the search looked and what the user can do. For messages. */
export const googleNotFoundAdvice = ({ bucket, env }: Pick<GoogleSearch, 'bucket' | 'env'>): string =>
  `no Google credentials were found in ${[...secretFilePaths(bucket, 'google', env), gcloudFile(env)].join(', ')}, GOOGLE_APPLICATION_CREDENTIALS or the metadata server; ${ADVICE}`;

/** Lists the files that may contain credentials. The credentials of a machine are not in a file. */
export const googleCredentialFiles = ({
  bucket,
  env,
}: Pick<GoogleSearch, 'bucket' | 'env'>): (string | undefined)[] => [
  ...secretFilePaths(bucket, 'google', env),
  env.GOOGLE_APPLICATION_CREDENTIALS,
  gcloudFile(env),
];

/** Path of the file that `gcloud auth application-default login` writes. */
function gcloudFile(env: NodeJS.ProcessEnv): string {
  const folder =
    env.CLOUDSDK_CONFIG ||
    (platform() === 'win32' ? join(env.APPDATA ?? '', 'gcloud') : join(homedir(), '.config', 'gcloud'));
  return join(folder, 'application_default_credentials.json');
}

/**
 * Finds credentials and makes a signer; undefined if there are none.
 * @throws CredentialsError BAD_CREDENTIALS.
 */
export async function findGoogleSigner(search: GoogleSearch): Promise<Signer | undefined> {
  const found = await findCredentials(search),
    scopes = SCOPES[search.access ?? 'read'];
  const { GoogleAuth, Compute, gcpMetadata, gaxios } = await importPackage(
    () => import('google-auth-library'),
  );
  if (!found) {
    if (!(await hasMetadataServer(search))) return undefined;
    // Without this, the library would use the proxy that the environment names.
    gaxios.instance.defaults.noProxy = [
      ...(gaxios.instance.defaults.noProxy ?? []),
      new URL(metadataServer(search.env)),
      METADATA,
    ];
    return new GoogleSigner(
      'the metadata server',
      () => new Compute({ scopes }),
      [],
      search.ownProjectPays ? await gcpMetadata.project<string>('project-id') : undefined,
    );
  }
  const { file, json } = found;
  for (const field of SECRET_FIELDS) if (typeof json[field] === 'string') registerSecretsIn(json[field]);
  const createClient = (): TokenClient => {
    try {
      // A new options object each time: the library changes it.
      return new GoogleAuth({ scopes }).fromJSON(json, {
        transporterOptions: { fetchImplementation: createFetch(search.http), noProxy: [/^/] },
      }); // `noProxy`: the HTTP client chooses the proxy
    } catch (error) {
      // The message of the library names fields, never their values.
      throw new CredentialsError(
        'BAD_CREDENTIALS',
        `${file} does not contain Google credentials: ${(error as Error).message}`,
      );
    }
  };
  createClient();
  return new GoogleSigner(
    file,
    createClient,
    SECRET_FIELDS.map((field) => json[field]).filter((value) => typeof value === 'string'),
    search.ownProjectPays ? projectOf(found, search.env) : undefined,
  );
}

/**
 * Whether there is a metadata server. The library could find out too, but it writes a warning if there is
 * none.
 * Sources: cloud.google.com/compute/docs/metadata/querying-metadata; the README of gcp-metadata for the
 * environment variables.
 */
async function hasMetadataServer({ http, env }: GoogleSearch): Promise<boolean> {
  const detection = env.METADATA_SERVER_DETECTION?.trim().toLowerCase();
  if (detection === 'none') return false;
  if (detection === 'assume-present') return true;
  const url = `${metadataServer(env)}/computeMetadata/v1/instance`;
  try {
    const { headers } = await withDeadline(PING_MS, [], (signal) =>
      http.request({
        url,
        headers: { 'metadata-flavor': 'Google' },
        retry: false,
        followRedirects: false,
        bypassProxy: true,
        signal,
      }),
    );
    return headers['metadata-flavor'] === 'Google';
  } catch {
    return false;
  }
}

function metadataServer(env: NodeJS.ProcessEnv): string {
  const host = env.GCE_METADATA_IP || env.GCE_METADATA_HOST || '169.254.169.254';
  return /^https?:/.test(host) ? host : `http://${host}`;
}

async function findCredentials({ bucket, env, credentials }: GoogleSearch): Promise<SecretFile | undefined> {
  if (credentials) return { file: 'the credentials option', json: credentials };
  const named = env.GOOGLE_APPLICATION_CREDENTIALS;
  const cloudVolumeSecret = await readFirstSecret(secretFilePaths(bucket, 'google', env));
  if (cloudVolumeSecret) return cloudVolumeSecret;
  if (!named) return readFirstSecret([gcloudFile(env)]);
  const adc = await readFirstSecret([named]);
  if (!adc)
    throw new CredentialsError(
      'BAD_CREDENTIALS',
      `GOOGLE_APPLICATION_CREDENTIALS names ${named}, which does not exist`,
    );
  return adc;
}

function projectOf({ file, json }: SecretFile, env: NodeJS.ProcessEnv): string {
  const project = json.quota_project_id ?? json.project_id ?? env.GOOGLE_CLOUD_PROJECT;
  if (typeof project === 'string' && project !== '') return project;
  throw new CredentialsError(
    'BAD_CREDENTIALS',
    `${file} does not name a project to pay for the reads; give one: requesterPays: 'PROJECT'`,
  );
}

interface TokenClient {
  getAccessToken(): Promise<{ token?: string | null }>;
}

class GoogleSigner implements Signer {
  readonly source: string;
  readonly #createClient: () => TokenClient;
  readonly #secrets: readonly string[];
  readonly #payer: string | undefined;
  #client: TokenClient;

  constructor(
    from: string,
    createClient: () => TokenClient,
    secrets: readonly string[],
    payer: string | undefined,
  ) {
    this.source = from;
    this.#createClient = createClient;
    this.#secrets = secrets;
    this.#payer = payer;
    this.#client = createClient();
  }

  // Sends only the token. With the quota project of the credentials, that project would pay for every read.
  readonly sign: Authorize = async () => {
    const { token } = await awaitVendor(this.source, this.#client.getAccessToken(), this.#secrets, ADVICE);
    if (!token)
      throw new CredentialsError('UNUSABLE', `the credentials from ${this.source} gave no token; ${ADVICE}`);
    registerSecret(token);
    return { authorization: `Bearer ${token}`, ...(this.#payer && { 'x-goog-user-project': this.#payer }) };
  };

  renewAfter({ status }: HttpReply): boolean {
    if (status !== 401) return false;
    this.#client = this.#createClient();
    return true;
  }
}
