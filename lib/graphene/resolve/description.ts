/**
 * The description of a volume: what is known before a chunk is read, as plain JSON for another thread, for
 * the manifest of a job or for another machine. It names tokens and credentials, and never contains them. It
 * decides which servers get requests, so it needs as much trust as a path.
 */
import * as z from 'zod/mini';
import type { ErrorJson } from '../../base/error-json.ts';
import { PathError } from '../../base/errors.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';
import type { Vec3 } from '../../base/vec3.ts';
import type { NamedVersion } from '../../chunkedgraph/ids/timestamp.ts';
import type { AddressPolicy } from '../../http/http-request.ts';
import { firstIssue, safeParse } from '../../base/schema.ts';
import type { BucketOptions } from '../../storage/bucket-options.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import { parseKvPath } from './kv-path.ts';
import { plainPathsOf } from './kv-node.ts';

/** The name of a token. The token itself is looked up where the volume is opened. */
export interface TokenName {
  /** Server that gets the token, `https://HOST[:PORT]`. */
  host: string;
  /** Where the token was found: `the token option`, `CAVE_TOKEN`, or the path of a file. */
  from: string;
}

/** The bucket that holds a volume's chunks. */
export interface BucketDescription {
  /** Path, as `openPrecomputed` takes it; empty for a store of the caller's own. */
  path: string;
  /** Addresses that the bucket's host may have. They are restricted when a server named the bucket. */
  allowAddress: AddressPolicy;
  /** Whether the bucket is behind the log-in of the graph server, and gets its token. */
  graphToken: boolean;
  /** The `storage` options that are not secret. */
  storage: Omit<BucketOptions, 'credentials'> & {
    /** Which credentials are used, if that was said without naming one. */
    credentials?: 'default' | 'anonymous';
  };
  /**
   * The secret `storage` options, which must be given again when the volume is opened. `store` is a store of
   * the caller's own.
   */
  wants: readonly RequiredStorageOption[];
}

const WANTED = ['store', 'token', 'headers', 'credentials'] as const;
/** A secret storage option that a description cannot contain. */
export type RequiredStorageOption = (typeof WANTED)[number];

/** A datastack, as its info service describes it. */
export interface DatastackDescription {
  /** Name of the datastack. */
  name: string;
  /** Server that described the datastack, `https://HOST[:PORT][/PATH]`. */
  server: string;
  /** Path of the chunkedgraph, in the spelling of the server. */
  segmentationSource: string;
  /** Server of the materializations; null when none is named. */
  localServer: {
    /** The address of the server. */
    url: string;
    /** Which addresses the server may have. */
    allowAddress: AddressPolicy;
  } | null;
  /**
   * Nanometres per voxel, xyz, of the coordinates that the datastack's viewer shows; null when none is named.
   */
  viewerResolution: Vec3 | null;
  /** Address of the datastack's viewer; absent when none is named. */
  viewerSite?: string;
  /** Errors of the two members above, when the server named a value that cannot be used. */
  faults: {
    /** Why the local server cannot be used. */
    localServer?: ErrorJson;
    /** Why the viewer's resolution cannot be used. */
    viewerResolution?: ErrorJson;
  };
  /**
   * Version of the materialization that was requested, whose timestamp is in `timestamp`; null without one.
   */
  version: NamedVersion['version'] | null;
}

interface BaseDescription {
  /** Version of this format. */
  version: 1;
  /** Path that was resolved, without credentials. */
  path: string;
  /** Paths of the redirects, beginning with the path that was resolved; empty without a redirect. */
  redirects: readonly string[];
  /** The info, as the server stores it. */
  info: Readonly<Record<string, unknown>>;
  /** The bucket that holds the chunks. */
  bucket: BucketDescription;
  /**
   * Options to open the volume with. An option passed to `openGraphene` or `openPrecomputed` overrides its
   * value here.
   */
  options: DescribedOptions;
}

/** The description of a Precomputed volume. */
export interface PrecomputedDescription extends BaseDescription {
  /** Which function opens the volume: `openPrecomputed`. */
  kind: 'precomputed';
}

/** The description of a chunkedgraph and its watershed. */
export interface GrapheneDescription extends BaseDescription {
  /** Which function opens the volume: `openGraphene`. */
  kind: 'graphene';
  /** The graph's table and its server. */
  graph: {
    /** Normalized path `graphene://…` of the table, after all redirects. */
    path: string;
    /** Name of the token for the server; null when none is sent. */
    token: TokenName | null;
    /** Addresses that the server may have. */
    allowAddress: AddressPolicy;
  };
  /** Server that issues the tokens. Its token file is read after the graph host's own. */
  authServer: string | null;
  /** `ignore` if the graph's supervoxels can split and the volume reads its unsplit watershed. */
  ocdbt?: 'ignore';
  /** The datastack that the volume was resolved by; null when it was resolved by the path of its graph. */
  datastack: DatastackDescription | null;
  /** Timestamp of all root look-ups, in milliseconds since 1970; null for the time of each call. */
  timestamp: number | 'settled' | null;
}

/** The description of a volume; `kind` tells which function opens it. */
export type VolumeDescription = GrapheneDescription | PrecomputedDescription;

/** Options that are resolved into other members, or that only make sense in one process. */
const NOT_DESCRIBED = [
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

/** The options that a description carries. */
export type DescribedOptions = Omit<OpenGrapheneOptions, (typeof NOT_DESCRIBED)[number]> & {
  /** Nanometres per unit of all coordinates passed to the volume, xyz. */
  resolution?: Vec3;
};

/** Picks the options that a description carries, as values that JSON can hold. */
export function pickDescribedOptions(
  options: OpenGrapheneOptions,
  resolution: Vec3 | undefined,
): DescribedOptions {
  const own = Object.fromEntries(
    Object.entries({ ...options, resolution: undefined }).filter(
      ([name, value]) => !(NOT_DESCRIBED as readonly string[]).includes(name) && isData(value),
    ),
  ) as DescribedOptions;
  const { rootCache, voxelsAt } = own;
  return {
    ...own,
    ...(voxelsAt instanceof Date && { voxelsAt: voxelsAt.toISOString() }),
    ...(resolution && { resolution }),
    // JSON has no Infinity.
    ...(typeof rootCache === 'object' &&
      rootCache.maxAgeMs === Infinity && { rootCache: { ...rootCache, maxAgeMs: Number.MAX_SAFE_INTEGER } }),
  };
}

const isData = (value: unknown): boolean => value !== undefined && typeof value !== 'function';

/**
 * Merges the options in a description with those passed when the volume is opened.
 * @throws TypeError for an option that the description has settled.
 */
export function mergeDescribedOptions<Options extends OpenGrapheneOptions>(
  { options }: VolumeDescription,
  given: Options,
): Options & DescribedOptions {
  for (const name of [...SETTLED_OPTIONS, 'mip'] as const)
    if (given[name] !== undefined)
      throw new TypeError(`${name} is settled in the description of the volume: resolve its path again`);
  return { ...options, ...given };
}

const SETTLED_OPTIONS = ['server', 'authServer', 'dataDir', 'ocdbt', 'timestamp', 'resolution'] as const;

/** Builds the schema on demand: most volumes are opened by their path. */
function descriptionSchema() {
  const token = z.nullable(z.object({ host: z.string(), from: z.string() }));
  const allowAddress = z.enum(['any', 'public', 'notMetadata']);
  const json = z.record(z.string(), z.unknown());
  const nm = z.number().check(z.positive());
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
      authServer: z.nullable(z.string()),
      ocdbt: z.optional(z.literal('ignore')),
      datastack: z.nullable(
        z.object({
          name: z.string(),
          server: z.string(),
          segmentationSource: z.string(),
          localServer: z.nullable(z.object({ url: z.string(), allowAddress })),
          viewerResolution: z.nullable(z.tuple([nm, nm, nm])),
          viewerSite: z.optional(z.string()),
          faults: z.object({ localServer: z.optional(json), viewerResolution: z.optional(json) }),
          version: z.nullable(z.union([z.int().check(z.nonnegative()), z.literal('newest')])),
        }),
      ),
      timestamp: z.nullable(z.union([z.int(), z.literal('settled')])),
    }),
  ]);
}

/** Whether the caller passed a description and not a path. */
export const isDescription = (path: unknown): path is VolumeDescription =>
  typeof path === 'object' && path !== null && 'kind' in path;

/** Checks a description and returns a copy. @throws PathError BAD_PATH. */
export function parseDescription(given: unknown): VolumeDescription {
  const parsed = safeParse(descriptionSchema(), given);
  if (parsed.success) return parsed.data as VolumeDescription;
  throw new PathError(
    'BAD_PATH',
    `this version cannot read the description of the volume: ${firstIssue(parsed.error)}`,
  );
}

/**
 * Checks that a description can be shared.
 * @throws PathError BAD_PATH when its path or info contains a secret.
 */
export function checkNoSecret(description: VolumeDescription): void {
  const text = JSON.stringify(description);
  const hasSecret = plainPathsOf(parseKvPath(description.bucket.path)).some((path) => {
    const url = /^https?:/i.test(path) && URL.canParse(path) ? new URL(path) : undefined;
    return url && (url.username || url.password || url.search);
  });
  if (!hasSecret && redactSecrets(text) === text) return;
  throw new PathError(
    'BAD_PATH',
    'the path or the info of the volume contains a secret, which its description may not contain; pass credentials in their own options: storage.token, storage.headers',
  );
}
