/**
 * Reads TensorStore's descriptions of where keys are stored: JSON specs, and URLs with a `|ocdbt:`. Sends no
 * request.
 * Source: TensorStore, kvstore/*\/schema.yml and driver/neuroglancer_precomputed/schema.yml; Neuroglancer,
 * src/kvstore/ocdbt/url.ts.
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { parseVersionSpec, type OcdbtVersion } from '../../ocdbt/format/version-spec.ts';
import type { LayerRange } from '../../storage/kvstack.ts';
import { appendPath, asFolder, badKvPath, MAX_KV_DEPTH, plainNode, type KvNode } from './kv-node.ts';
import { parseKvUrl } from './kv-url.ts';

/** A TensorStore spec: of a Precomputed volume, or of the key-value store that holds one. */
export interface TensorStoreSpec {
  /** `neuroglancer_precomputed`, `ocdbt`, `kvstack`, `file`, `http`, `gcs` or `s3`. */
  driver: string;
  /** The members of the driver, as TensorStore's documentation describes them. */
  [member: string]: unknown;
}

/** Whether a path is a spec. */
export const isTensorStoreSpec = (path: unknown): path is TensorStoreSpec =>
  typeof path === 'object' && path !== null && 'driver' in path;

const MAX_LAYERS = 64;

/** Members that do not change what is read. */
const IDLE_MEMBERS = [
  'context',
  'cache_pool',
  'data_copy_concurrency',
  'config',
  'assume_config',
  'value_data_prefix',
  'btree_node_data_prefix',
  'version_tree_node_data_prefix',
  'target_data_file_size',
  'coordinator',
  'experimental_read_coalescing_threshold_bytes',
  'experimental_read_coalescing_merged_bytes',
  'experimental_read_coalescing_interval',
  'file_io_concurrency',
  'file_io_sync',
  'file_io_locking',
  'file_io_mode',
  'file_io_memmap',
  'gcs_request_concurrency',
  'gcs_request_retries',
  'experimental_gcs_rate_limiter',
  's3_request_concurrency',
  's3_request_retries',
  'experimental_s3_rate_limiter',
  'http_request_concurrency',
  'http_request_retries',
];
const IDLE_VOLUME_MEMBERS = [
  'context',
  'cache_pool',
  'data_copy_concurrency',
  'recheck_cached_metadata',
  'recheck_cached_data',
  'recheck_cached',
  'fill_missing_data_reads',
  'store_data_equal_to_fill_value',
  'assume_metadata',
  'assume_cached_metadata',
  'open',
  'create',
  'delete_existing',
  'dtype',
  'rank',
  'schema',
  'transform',
  'multiscale_metadata',
  'scale_metadata',
];

type Members = Readonly<Record<string, unknown>>;

/** Whether a text is the JSON of a spec. */
export const isSpecText = (text: string): boolean => text.trimStart().startsWith('{');

/** Reads the JSON text of a spec. @throws PathError BAD_PATH. */
export function parseSpecText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badKvPath(
      `the path begins with "{", but is not the JSON of a TensorStore spec: ${(error as Error).message}`,
    );
  }
}

/**
 * Reads the spec of a volume, or of a key-value store.
 * @throws PathError BAD_PATH; UNSUPPORTED_SCHEME for another driver.
 */
export function parseVolumeSpec(spec: unknown): KvNode {
  const members = asMembers(spec, 'the TensorStore spec');
  if (members.driver !== 'neuroglancer_precomputed' && members.driver !== 'auto') return parseKvStore(spec);
  const { kvstore, path = '', scale_index: scaleIndex } = members;
  checkMembers(members, ['kvstore', 'path', 'scale_index', ...IDLE_VOLUME_MEMBERS]);
  if (scaleIndex !== undefined && scaleIndex !== 0)
    throw badKvPath(
      'scale_index of the TensorStore spec is not used here: leave it out, and use the option mip',
    );
  if (kvstore === undefined) throw badKvPath('the TensorStore spec has no kvstore');
  const node = parseKvStore(kvstore),
    below = asText(path, 'path').replace(/^\/+/, '');
  return below === '' ? node : appendPath(asFolder(node), below);
}

/**
 * Reads a spec, or a URL, of a key-value store.
 * @throws PathError BAD_PATH; UNSUPPORTED_SCHEME for another driver.
 */
export function parseKvStore(spec: unknown, depth = 0): KvNode {
  if (depth > MAX_KV_DEPTH)
    throw badKvPath(`the TensorStore spec has more than ${MAX_KV_DEPTH} stores within one another`);
  if (typeof spec === 'string') return parseKvUrl(spec);
  const members = asMembers(spec, 'a kvstore'),
    driver = asText(members.driver, 'driver');
  if (!Object.hasOwn(DRIVERS, driver))
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `TensorStore's kvstore driver ${quote(driver)} is not supported; supported are ${Object.keys(DRIVERS).join(', ')}`,
    );
  return DRIVERS[driver](members, depth);
}

const DRIVERS: Readonly<Record<string, (members: Members, depth: number) => KvNode>> = {
  ocdbt(members, depth) {
    const { base, manifest, version, path = '' } = members;
    checkMembers(members, ['base', 'manifest', 'version', 'path', ...IDLE_MEMBERS]);
    if (base === undefined) throw badKvPath('the kvstore ocdbt has no base');
    return {
      kind: 'ocdbt',
      base: asFolder(parseKvStore(base, depth + 1)),
      ...(manifest !== undefined && { manifest: asFolder(parseKvStore(manifest, depth + 1)) }),
      ...(version !== undefined && { version: asVersion(version) }),
      path: asText(path, 'path'),
    };
  },
  kvstack(members, depth) {
    const { layers, path = '' } = members;
    checkMembers(members, ['layers', 'path', ...IDLE_MEMBERS]);
    if (!Array.isArray(layers) || layers.length > MAX_LAYERS)
      throw badKvPath(`the kvstore kvstack has no list of at most ${MAX_LAYERS} layers`);
    return {
      kind: 'kvstack',
      layers: layers.map((layer: unknown) => parseLayer(asMembers(layer, 'a layer'), depth)),
      path: asText(path, 'path'),
    };
  },
  file(members) {
    checkMembers(members, ['path', ...IDLE_MEMBERS]);
    const path = asText(members.path, 'path');
    return plainNode(/^[a-z][a-z\d+.-]*:\/\//i.test(path) ? `./${path}` : path);
  },
  http(members) {
    checkMembers(members, ['base_url', 'path', ...IDLE_MEMBERS]);
    const base = asText(members.base_url, 'base_url'),
      path = asText(members.path ?? '', 'path');
    if (!/^https?:/i.test(base) || !URL.canParse(base))
      throw badKvPath(`base_url ${quote(redactUrl(base))} is not a URL`);
    const url = new URL(base),
      encoded = path.split('/').map(encodeURIComponent).join('/');
    if (encoded !== '') url.pathname = url.pathname.replace(/\/*$/, '/') + encoded.replace(/^\/+/, '');
    return plainNode(url.href);
  },
  gcs(members) {
    checkMembers(members, ['bucket', 'path', 'gcs_user_project', ...IDLE_MEMBERS]);
    refuse(members, 'gcs_user_project', 'requesterPays');
    return plainNode(`gs://${asText(members.bucket, 'bucket')}/${asText(members.path ?? '', 'path')}`);
  },
  s3(members) {
    const { bucket, path = '', endpoint, aws_credentials: credentials } = members;
    const known = ['bucket', 'path', 'aws_region', 'endpoint', 'requester_pays', 'aws_credentials'];
    checkMembers(members, [...known, 'use_conditional_write', ...IDLE_MEMBERS]);
    refuse(members, 'requester_pays', 'requesterPays');
    if ((credentials as { type?: unknown } | null | undefined)?.type !== 'anonymous')
      refuse(members, 'aws_credentials', 'credentials or profile');
    const place = `${asText(bucket, 'bucket')}/${asText(path, 'path')}`;
    return plainNode(
      endpoint === undefined
        ? `s3://${place}`
        : `s3+${asText(endpoint, 'endpoint').replace(/\/+$/, '')}/${place}`,
    );
  },
};

/** Refuses a member whose meaning an option of ours has. */
function refuse(members: Members, name: string, option: string): void {
  const value = members[name];
  if (value !== undefined && value !== false && value !== null)
    throw badKvPath(
      `${name} of the TensorStore spec is not used here: leave it out, and use storage.${option}`,
    );
}

const LAYER_MEMBERS = ['base', 'exact', 'prefix', 'inclusive_min', 'exclusive_max', 'strip_prefix'];

function parseLayer(members: Members, depth: number): LayerRange & { base: KvNode } {
  const unknown = Object.keys(members).find((name) => !LAYER_MEMBERS.includes(name));
  if (unknown !== undefined)
    throw badKvPath(`a layer of the kvstack has the unknown member ${quote(unknown)}`);
  const text = (name: string): string | undefined =>
    members[name] === undefined ? undefined : asText(members[name], name);
  const { base, strip_prefix: strip } = members;
  if (base === undefined) throw badKvPath('a layer of the kvstack has no base');
  if (strip !== undefined && !(Number.isSafeInteger(strip) && (strip as number) >= 0))
    throw badKvPath('strip_prefix of a layer of the kvstack is not a number of bytes');
  return {
    base: parseKvStore(base, depth + 1),
    exact: text('exact'),
    prefix: text('prefix'),
    inclusiveMin: text('inclusive_min'),
    exclusiveMax: text('exclusive_max'),
    stripPrefix: strip as number | undefined,
  };
}

function asVersion(version: unknown): OcdbtVersion {
  try {
    parseVersionSpec(version as OcdbtVersion);
  } catch (error) {
    throw badKvPath(`version of the kvstore ocdbt: ${(error as Error).message}`);
  }
  return version as OcdbtVersion;
}

function asMembers(value: unknown, what: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badKvPath(`${what} is not an object with a driver`);
  return value as Members;
}

function asText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw badKvPath(`${name} of the TensorStore spec is not a string`);
  if (value.includes('\0')) throw badKvPath(`${name} of the TensorStore spec contains NUL`);
  return value;
}

function checkMembers(members: Members, known: readonly string[]): void {
  const unknown = Object.keys(members).find((name) => name !== 'driver' && !known.includes(name));
  if (unknown !== undefined)
    throw badKvPath(
      `the member ${quote(unknown)} of TensorStore's driver ${String(members.driver)} is not known here, and might change what is read`,
    );
}

const quote = (text: string): string => JSON.stringify(toPrintable(text, 60));
