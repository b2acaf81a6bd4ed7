/** The options that say who may ask a service, and the settings that are safe to start with. */
import { AccessError } from '../../base/errors.ts';
import type { OptionTable } from '../../base/option-table.ts';
import { isLoopbackHost } from '../../base/public-address.ts';
import { BOOLEAN, defineKind, nonEmptyText, oneOf, type ValueKind } from '../../base/value-kinds.ts';

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
  /** The certificate and its chain, a file in PEM. With it, the service speaks TLS. */
  cert?: string;
  /** The key of the certificate, a file in PEM. */
  key?: string;
  /** Says that a proxy in front of the service terminates TLS. */
  tlsByProxy?: boolean;
}

const file = nonEmptyText('the path of a file');
const texts = (what: string): ValueKind =>
  defineKind(
    `a list of ${what}`,
    (value) => Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== ''),
  );

/** The options: how each is checked, its default, its flag and its help. */
export const ACCESS_OPTIONS = {
  tokenFile: {
    kind: file,
    flag: '--token-file <file>',
    says: 'callers send a token of this file: one per line, or lines of JSON with token, name, volumes and roots',
  },
  auth: {
    kind: oneOf('cave'),
    flag: '--auth <kind>',
    says: 'cave: callers send their own CAVE token, which must have the permission view, and looks up their roots',
  },
  authServer: {
    kind: nonEmptyText('the URL of a server'),
    default: 'the server that described the datastack',
    flag: '--auth-server <url>',
    says: 'CAVE server that knows the tokens',
  },
  publicVolumes: {
    kind: texts('names of volumes'),
    flag: '--public <name>',
    says: 'anybody may ask for the voxels of this volume, which is read without credentials',
  },
  cert: {
    kind: file,
    flag: '--cert <file>',
    says: 'certificate and its chain, in PEM: the service speaks TLS',
  },
  key: { kind: file, flag: '--key <file>', says: 'key of the certificate, in PEM' },
  tlsByProxy: {
    kind: BOOLEAN,
    flag: '--tls-by-proxy',
    says: 'a proxy in front of the service terminates TLS',
  },
  allowHosts: {
    kind: texts('hosts'),
    flag: '--allow-host <host>',
    says: 'another host, HOST or HOST:PORT, that the service answers for',
  },
  corsOrigins: {
    kind: texts('origins'),
    flag: '--cors-origin <origin>',
    says: 'another origin whose pages may ask, such as https://HOST',
  },
} as const satisfies OptionTable<AccessOptions>;

/** The options whose flag may be repeated. */
export const REPEATED_ACCESS_OPTIONS = ['publicVolumes', 'allowHosts', 'corsOrigins'] as const;

/** Where a service listens. */
export interface ListeningOptions {
  host: string;
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
  { tokenFile, auth, authServer, publicVolumes = [], cert, key, tlsByProxy = false }: AccessOptions,
  { host, volumes }: ListeningOptions,
): AccessMode {
  if (tokenFile !== undefined && auth !== undefined)
    throw new RangeError('--token-file and --auth exclude each other: callers send one kind of token');
  if (authServer !== undefined && auth === undefined) throw new RangeError('--auth-server needs --auth cave');
  if ((cert === undefined) !== (key === undefined)) throw new RangeError('--cert and --key need each other');
  if (tlsByProxy && cert !== undefined)
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
  if (!onLoopback && hasTokens && cert === undefined && !tlsByProxy)
    throw new AccessError(
      'UNSAFE_SETTINGS',
      `callers would send their tokens to ${host} without TLS: add --cert FILE and --key FILE, or --tls-by-proxy if a proxy in front of the service terminates TLS`,
    );
  if (tokenFile !== undefined) return 'tokenFile';
  if (auth !== undefined) return 'cave';
  return publicVolumes.length > 0 ? 'none' : 'local';
}
