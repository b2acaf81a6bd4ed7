/** The options that say who may ask a service, and the settings that are safe to start with. */
import { AccessError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../base/public-address.ts';

/** Who may ask. Without any of them, everybody on this machine may ask everything, and nobody else. */
export interface AccessOptions {
  /** A file of tokens that callers must send. */
  tokenFile?: string;
  /** `cave`: callers send their own CAVE token. */
  auth?: 'cave';
  /** The CAVE server that knows the tokens. @default the server that described the datastack */
  authServer?: string;
  /** Names of volumes whose voxels anybody may ask for. */
  publicVolumes?: readonly string[];
  /** More hosts, `HOST[:PORT]`, that the service answers for. */
  allowHosts?: readonly string[];
  /** Other origins whose pages may ask. */
  corsOrigins?: readonly string[];
  /** Says that a proxy in front of the service terminates TLS. */
  tlsByProxy?: boolean;
}

/** Where a service listens. */
export interface ListeningOptions {
  host: string;
  /** Whether the service has a certificate. */
  hasCertificate: boolean;
  /** Names of all volumes. */
  volumes: readonly string[];
}

/** How callers show who they are: `local`: by being on this machine; `none`: not at all. */
export type AccessMode = 'local' | 'tokenFile' | 'cave' | 'none';

/**
 * Returns how callers show who they are.
 * @throws AccessError UNSAFE_SETTINGS when strangers could ask, or read tokens of others; RangeError for options that
 *   do not go together.
 */
export function chooseAccessMode(
  { tokenFile, auth, authServer, publicVolumes = [], tlsByProxy = false }: AccessOptions,
  { host, hasCertificate, volumes }: ListeningOptions,
): AccessMode {
  if (tokenFile !== undefined && auth !== undefined)
    throw new RangeError('--token-file and --auth exclude each other: callers send one kind of token');
  if (authServer !== undefined && auth === undefined) throw new RangeError('--auth-server needs --auth cave');
  if (tlsByProxy && hasCertificate)
    throw new RangeError('--tls-by-proxy and --cert exclude each other: one of them terminates TLS');
  const unknown = publicVolumes.find((name) => !volumes.includes(name));
  if (unknown !== undefined)
    throw new RangeError(`--public ${unknown}: no volume has this name; there is ${volumes.join(', ')}`);
  const onLoopback = isLoopbackHost(host),
    hasTokens = tokenFile !== undefined || auth !== undefined;
  if (!onLoopback && !hasTokens && publicVolumes.length === 0)
    throw new AccessError(
      'UNSAFE_SETTINGS',
      `other machines reach ${host}, so the service must know who may ask: add --token-file FILE, --auth cave or --public NAME, or listen on 127.0.0.1`,
    );
  if (!onLoopback && hasTokens && !hasCertificate && !tlsByProxy)
    throw new AccessError(
      'UNSAFE_SETTINGS',
      `callers would send their tokens to ${host} without TLS: add --cert FILE and --key FILE, or --tls-by-proxy if a proxy in front of the service terminates TLS`,
    );
  if (tokenFile !== undefined) return 'tokenFile';
  if (auth !== undefined) return 'cave';
  return publicVolumes.length > 0 ? 'none' : 'local';
}
