/**
 * All that is known of a volume before a chunk is read, as plain JSON: for another thread, a job's manifest, another machine. Tokens and
 * credentials are named in it, never held. Whoever opens it trusts it as a path: it says which servers are asked.
 */
import * as z from 'zod';
import type { ErrorJson } from '../../base/error-json.ts';
import { PathError } from '../../base/errors.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { NamedVersion } from '../../chunkedgraph/ids/timestamp.ts';
import type { AddressPolicy } from '../../http/http-request.ts';
import { firstIssue } from '../../precomputed/first-issue.ts';
import type { BucketOptions } from '../../storage/bucket-options.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';

/** A token, by its name: it is looked for again where the volume is opened. */
export interface TokenName {
  /** The server that gets it, `https://HOST[:PORT]`. */
  host: string;
  /** Where it was found: `the token option`, `CAVE_TOKEN`, or the path of a file. */
  from: string;
}

/** Where chunks are. */
export interface BucketDescription {
  /** As `openPrecomputed` takes it; empty for a store of the caller's own. */
  path: string;
  /** Addresses that it may have: not all when a server named it. */
  allowAddress: AddressPolicy;
  /** Whether it is behind the log-in of the graph server, and gets that token. */
  graphToken: boolean;
  /** What was said of its credentials without being one. */
  storage: Omit<BucketOptions, 'credentials'> & { credentials?: 'default' | 'anonymous' };
  /** What `storage` held besides, which must be given again when the volume is opened; `store` is a store of the caller's own. */
  wants: readonly RequiredStorageOption[];
}

const WANTED = ['store', 'token', 'headers', 'credentials'] as const;
export type RequiredStorageOption = (typeof WANTED)[number];

/** A datastack, as its server describes it. */
export interface DatastackDescription {
  name: string;
  /** The server asked, `https://HOST[:PORT][/PATH]`. */
  server: string;
  /** The chunkedgraph, as the server words it. */
  segmentationSource: string;
  /** Where its materializations are; null when the server does not say. */
  localServer: { url: string; allowAddress: AddressPolicy } | null;
  /** Nanometres per voxel of the coordinates that its viewer shows; null when the server does not say. */
  viewerResolution: Vec3 | null;
  /** Why one of these two cannot be used. */
  faults: { localServer?: ErrorJson; viewerResolution?: ErrorJson };
  /** The materialization that was asked for, and `timestamp` is that of; null for none. */
  version: NamedVersion['version'] | null;
}

interface Described {
  /** Of this format. */
  version: 1;
  /** What was asked for, without credentials. */
  path: string;
  /** Paths gone through where infos redirect, the first one that was asked for; empty when nothing redirected. */
  redirects: readonly string[];
  /** The info as it stands on the server. */
  info: Readonly<Record<string, unknown>>;
  bucket: BucketDescription;
  /** Limits and all else the volume is to be opened with. Options given when it is opened take their place. */
  options: DescribedOptions;
}

export interface PrecomputedDescription extends Described {
  kind: 'precomputed';
}

export interface GrapheneDescription extends Described {
  kind: 'graphene';
  graph: {
    /** `graphene://…`, in the one spelling; where infos redirect, the last one. */
    path: string;
    /** null: none is sent. */
    token: TokenName | null;
    /** Addresses that the server may have. */
    allowAddress: AddressPolicy;
  };
  /** The server whose token file comes after that of the host asked. */
  authServer: string | null;
  datastack: DatastackDescription | null;
  /** Of all root look-ups: milliseconds since 1970; null for each call's own now. */
  timestamp: number | 'settled' | null;
}

export type VolumeDescription = GrapheneDescription | PrecomputedDescription;

/** Options that are resolved into other members, or live in one process only. */
const ELSEWHERE = [
  'server',
  'authServer',
  'token',
  'dataDir',
  'ocdbt',
  'timestamp',
  'resolution',
  'storage',
  'signal',
  'logger',
] as const;

export type DescribedOptions = Omit<OpenGrapheneOptions, (typeof ELSEWHERE)[number]> & {
  /** Nanometres per unit of all coordinates given to the volume. */
  resolution?: Vec3;
};

/** The options that go along, as JSON holds them. */
export function pickDescribedOptions(
  options: OpenGrapheneOptions,
  resolution: Vec3 | undefined,
): DescribedOptions {
  const own = Object.fromEntries(
    Object.entries({ ...options, resolution: undefined }).filter(
      ([name, value]) => !(ELSEWHERE as readonly string[]).includes(name) && isData(value),
    ),
  ) as DescribedOptions;
  const { rootCache } = own;
  return {
    ...own,
    ...(resolution && { resolution }),
    // JSON has no Infinity.
    ...(typeof rootCache === 'object' &&
      rootCache.maxAgeMs === Infinity && { rootCache: { ...rootCache, maxAgeMs: Number.MAX_SAFE_INTEGER } }),
  };
}

const isData = (value: unknown): boolean => value !== undefined && typeof value !== 'function';

/**
 * Options for a volume that is opened from its description: those described, and those given now.
 * @throws TypeError for one that was resolved already.
 */
export function mergeDescribedOptions<Options extends OpenGrapheneOptions>(
  { options }: VolumeDescription,
  given: Options,
): Options & DescribedOptions {
  for (const name of [...SETTLED, 'mip'] as const)
    if (given[name] !== undefined)
      throw new TypeError(`${name} is settled in the description of the volume: resolve its path again`);
  return { ...options, ...given };
}

const SETTLED = ['server', 'authServer', 'dataDir', 'ocdbt', 'timestamp', 'resolution'] as const;

/** Made when it is wanted: most volumes are opened by their path. */
function descriptionSchema() {
  const token = z.object({ host: z.string(), from: z.string() }).nullable();
  const allowAddress = z.enum(['any', 'public', 'notMetadata']);
  const json = z.record(z.string(), z.unknown());
  const nm = z.number().positive();
  const described = {
    version: z.literal(1),
    path: z.string(),
    redirects: z.array(z.string()),
    info: json,
    bucket: z.object({
      path: z.string(),
      allowAddress,
      graphToken: z.boolean(),
      storage: json,
      wants: z.array(z.enum(WANTED)),
    }),
    options: json,
  };
  return z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('precomputed'), ...described }),
    z.object({
      kind: z.literal('graphene'),
      ...described,
      graph: z.object({ path: z.string(), token, allowAddress }),
      authServer: z.string().nullable(),
      datastack: z
        .object({
          name: z.string(),
          server: z.string(),
          segmentationSource: z.string(),
          localServer: z.object({ url: z.string(), allowAddress }).nullable(),
          viewerResolution: z.tuple([nm, nm, nm]).nullable(),
          faults: z.object({ localServer: json.optional(), viewerResolution: json.optional() }),
          version: z.union([z.int().nonnegative(), z.literal('newest')]).nullable(),
        })
        .nullable(),
      timestamp: z.union([z.int(), z.literal('settled')]).nullable(),
    }),
  ]);
}

/** Whether that is meant, rather than a path. */
export const isDescription = (path: unknown): path is VolumeDescription =>
  typeof path === 'object' && path !== null && 'kind' in path;

/** A copy of it, checked. @throws PathError BAD_PATH. */
export function parseDescription(given: unknown): VolumeDescription {
  const parsed = descriptionSchema().safeParse(given);
  if (parsed.success) return parsed.data as VolumeDescription;
  throw new PathError(
    'BAD_PATH',
    `the description of a volume is not one that this version reads: ${firstIssue(parsed.error)}`,
  );
}

/** @throws PathError BAD_PATH unless it can be given away: a path, or an info, may hold a secret. */
export function checkNoSecret(description: VolumeDescription): void {
  const { path } = description.bucket,
    url = /^https?:/i.test(path) && URL.canParse(path) ? new URL(path) : undefined,
    text = JSON.stringify(description);
  if (!(url && (url.username || url.password || url.search)) && redactSecrets(text) === text) return;
  throw new PathError(
    'BAD_PATH',
    'the volume cannot be described without a secret that its path or its info holds; credentials have options of their own: storage.token, storage.headers',
  );
}
