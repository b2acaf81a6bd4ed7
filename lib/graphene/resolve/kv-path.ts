/** The paths of volumes in databases and in several stores: reads and writes them. */
import { redactUrl } from '../../http/excerpt.ts';
import type { OcdbtVersion } from '../../ocdbt/format/version-spec.ts';
import { plainNode, type KvNode } from './kv-node.ts';
import { isOcdbtPart, parseKvUrl } from './kv-url.ts';
import { isSpecText, parseSpecText, parseVolumeSpec } from './kvstore-spec.ts';

/**
 * Reads a path of a volume, which may be the JSON text of a spec, or contain `|ocdbt:`.
 * @returns A plain node for any other path, as it is.
 * @throws PathError
 */
export function parseKvPath(path: string): KvNode {
  if (isSpecText(path)) return parseVolumeSpec(parseSpecText(path));
  return path.split('|').slice(1).some(isOcdbtPart) ? parseKvUrl(path) : plainNode(path);
}

/**
 * Writes a node as a path: a URL if it can be one, else the JSON text of a spec. `parseKvPath` reads it again.
 */
export function formatKvNode(node: KvNode): string {
  return urlOf(node) ?? JSON.stringify(specOf(node));
}

function urlOf(node: KvNode): string | undefined {
  if (node.kind === 'plain') return node.path.includes('|') ? undefined : node.path;
  if (node.kind === 'kvstack' || node.manifest) return undefined;
  const base = urlOf(node.base);
  if (base === undefined) return undefined;
  const path = node.path.replace(/\/+$/, '').split('/').map(encodeURIComponent).join('/'),
    version = nameOf(node.version);
  return `${base}|ocdbt:${version}${version && path && '/'}${path}`;
}

/** `@v12`, or the time; empty for the latest version. */
function nameOf(version: OcdbtVersion | undefined): string {
  if (version === undefined) return '';
  return typeof version === 'number'
    ? `@v${version}`
    : `@${version instanceof Date ? version.toISOString() : version}`;
}

function specOf(node: KvNode): unknown {
  const { kind: driver, path } = node;
  if (driver === 'plain') return path;
  if (driver === 'ocdbt') {
    const { base, manifest, version } = node;
    return { driver, base: specOf(base), ...(manifest && { manifest: specOf(manifest) }), version, path };
  }
  const layers = node.layers.map(({ base, exact, prefix, inclusiveMin, exclusiveMax, stripPrefix }) => ({
    base: specOf(base),
    exact,
    prefix,
    inclusive_min: inclusiveMin,
    exclusive_max: exclusiveMax,
    strip_prefix: stripPrefix,
  }));
  return { driver, layers, path };
}

/** Whether a path names a database, or several stores. */
export const isKvPath = (path: string): boolean => parseKvPath(path).kind !== 'plain';

/** The path in words, without credentials: for messages and descriptions. */
export function describeKvPath(path: string): string {
  const describe = (node: KvNode): string => {
    if (node.kind === 'plain') return redactUrl(node.path);
    if (node.kind === 'kvstack')
      return `kvstack(${node.layers.map(({ base }) => describe(base)).join(', ')})${node.path}`;
    return `${describe(node.base)}|ocdbt:${nameOf(node.version)}${node.version !== undefined && node.path ? '/' : ''}${node.path}`;
  };
  return describe(parseKvPath(path));
}

/** The same path, at this version of its database; as it is, if it is not that of a database. */
export function withOcdbtVersion(path: string, version: number): string {
  const node = parseKvPath(path);
  return node.kind === 'ocdbt' ? formatKvNode({ ...node, version }) : path;
}
