/**
 * Google's credentials for a bucket: those given, CloudVolume's files, then Application Default Credentials. The tokens are made by
 * google-auth-library, which is loaded once credentials are there; it asks for them over our HTTP client.
 * Sources: "How Application Default Credentials works", cloud.google.com/docs/authentication/application-default-credentials.
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

/** A service account's key file, or any other file that Application Default Credentials may be, as an object. */
export interface GoogleCredentials {
  type: string;
  [field: string]: unknown;
}

const READ_ONLY = 'https://www.googleapis.com/auth/devstorage.read_only';
const ADVICE =
  'run `gcloud auth application-default login`, or name a key file in GOOGLE_APPLICATION_CREDENTIALS';
/** It answers at once where there is one. */
const PING_MS = 3000;
/** The names that the library asks. */
const METADATA = /^http:\/\/(169\.254\.169\.254|metadata\.google\.internal\.?)\//;
const SECRET_FIELDS = ['private_key', 'refresh_token', 'client_secret'];

export interface GoogleSearch {
  bucket: string;
  http: HttpClient;
  env: NodeJS.ProcessEnv;
  /** Given by the user; nothing is searched then. */
  credentials?: GoogleCredentials;
  /** The credentials' own project is told who pays. */
  ownProjectPays: boolean;
}

/** What the search looked at, for when it found nothing. */
export const googleNotFoundAdvice = ({ bucket, env }: Pick<GoogleSearch, 'bucket' | 'env'>): string =>
  `no Google credentials were found in ${[...secretFilePaths(bucket, 'google', env), gcloudFile(env)].join(', ')}, GOOGLE_APPLICATION_CREDENTIALS or the metadata server; ${ADVICE}`;

/** Where credentials may be; a machine's own are not in a file. */
export const googleCredentialFiles = ({
  bucket,
  env,
}: Pick<GoogleSearch, 'bucket' | 'env'>): (string | undefined)[] => [
  ...secretFilePaths(bucket, 'google', env),
  env.GOOGLE_APPLICATION_CREDENTIALS,
  gcloudFile(env),
];

/** gcloud's own, written by `gcloud auth application-default login`. */
function gcloudFile(env: NodeJS.ProcessEnv): string {
  const folder =
    env.CLOUDSDK_CONFIG ||
    (platform() === 'win32' ? join(env.APPDATA ?? '', 'gcloud') : join(homedir(), '.config', 'gcloud'));
  return join(folder, 'application_default_credentials.json');
}

/** @throws CredentialsError BAD_CREDENTIALS. */
export async function findGoogleSigner(search: GoogleSearch): Promise<Signer | undefined> {
  const found = await findFile(search);
  const { GoogleAuth, Compute, gcpMetadata, gaxios } = await importPackage(
    () => import('google-auth-library'),
  );
  if (!found) {
    if (!(await isOnGoogle(search))) return undefined;
    // The library's own requests would take any proxy that the environment names.
    gaxios.instance.defaults.noProxy = [
      ...(gaxios.instance.defaults.noProxy ?? []),
      new URL(metadataServer(search.env)),
      METADATA,
    ];
    return new GoogleSigner(
      'the metadata server',
      () => new Compute({ scopes: READ_ONLY }),
      [],
      search.ownProjectPays ? await gcpMetadata.project<string>('project-id') : undefined,
    );
  }
  const { file, json } = found;
  for (const field of SECRET_FIELDS) if (typeof json[field] === 'string') registerSecretsIn(json[field]);
  const make = (): TokenClient => {
    try {
      // The library adds to the options it is given.
      return new GoogleAuth({ scopes: READ_ONLY }).fromJSON(json, {
        transporterOptions: { fetchImplementation: createFetch(search.http), noProxy: [/^/] },
      }); // proxies are the client's
    } catch (error) {
      // Of its own checks: names of fields, no values.
      throw new CredentialsError(
        'BAD_CREDENTIALS',
        `${file} holds no Google credentials: ${(error as Error).message}`,
      );
    }
  };
  make();
  return new GoogleSigner(
    file,
    make,
    SECRET_FIELDS.map((field) => json[field]).filter((value) => typeof value === 'string'),
    search.ownProjectPays ? projectOf(found, search.env) : undefined,
  );
}

/**
 * Whether there is a metadata server, asked as the library would (which warns on standard error when there is none).
 * Sources: cloud.google.com/compute/docs/metadata/querying-metadata; gcp-metadata's README for the environment variables.
 */
async function isOnGoogle({ http, env }: GoogleSearch): Promise<boolean> {
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

async function findFile({ bucket, env, credentials }: GoogleSearch): Promise<SecretFile | undefined> {
  if (credentials) return { file: 'the credentials option', json: credentials };
  const named = env.GOOGLE_APPLICATION_CREDENTIALS;
  const ours = await readFirstSecret(secretFilePaths(bucket, 'google', env));
  if (ours) return ours;
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
    `${file} names no project to pay for the requests; name it: requesterPays: 'PROJECT'`,
  );
}

interface TokenClient {
  getAccessToken(): Promise<{ token?: string | null }>;
}

class GoogleSigner implements Signer {
  readonly source: string;
  readonly #make: () => TokenClient;
  readonly #secrets: readonly string[];
  readonly #payer: string | undefined;
  #client: TokenClient;

  constructor(from: string, make: () => TokenClient, secrets: readonly string[], payer: string | undefined) {
    this.source = from;
    this.#make = make;
    this.#secrets = secrets;
    this.#payer = payer;
    this.#client = make();
  }

  // The token alone: a quota project in the credentials would be billed for every read if it were sent along.
  readonly sign: Authorize = async () => {
    const { token } = await awaitVendor(this.source, this.#client.getAccessToken(), this.#secrets, ADVICE);
    if (!token)
      throw new CredentialsError('UNUSABLE', `the credentials of ${this.source} gave no token; ${ADVICE}`);
    registerSecret(token);
    return { authorization: `Bearer ${token}`, ...(this.#payer && { 'x-goog-user-project': this.#payer }) };
  };

  canRenew({ status }: HttpReply): boolean {
    if (status !== 401) return false;
    this.#client = this.#make();
    return true;
  }
}
