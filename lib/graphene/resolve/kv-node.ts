/** Where keys are stored, as a tree: paths, databases in them, stores over one another. Pure. */
import { PathError } from '../../base/errors.ts';
import type { OcdbtVersion } from '../../ocdbt/format/version-spec.ts';
import type { LayerRange } from '../../storage/kvstack.ts';

/** Where keys are stored. The key is put behind the path. */
export type KvNode = PlainNode | OcdbtNode | KvStackNode;

/** A path that `openStore` takes. It may end inside a name. */
export interface PlainNode {
  readonly kind: 'plain';
  readonly path: string;
}

/** A database. */
export interface OcdbtNode {
  readonly kind: 'ocdbt';
  readonly base: KvNode;
  readonly manifest?: KvNode;
  readonly version?: OcdbtVersion;
  readonly path: string;
}

/** Several stores over one another. */
export interface KvStackNode {
  readonly kind: 'kvstack';
  readonly layers: readonly (LayerRange & { base: KvNode })[];
  readonly path: string;
}

/** How many stores may be within one another. */
export const MAX_KV_DEPTH = 8;

export const badKvPath = (message: string): PathError => new PathError('BAD_PATH', message);

export const plainNode = (path: string): PlainNode => ({ kind: 'plain', path });

/** Ends the path with a slash, if it is not empty. */
export function asFolder(node: KvNode): KvNode {
  const { path } = node;
  if (node.kind !== 'plain') return path === '' || path.endsWith('/') ? node : { ...node, path: `${path}/` };
  const [whole, query] = splitQuery(path);
  return whole.endsWith('/') ? node : plainNode(`${whole}/${query}`);
}

/** Adds to the end of the path. */
export function appendPath(node: KvNode, more: string): KvNode {
  if (node.kind !== 'plain') return { ...node, path: node.path + more };
  const [whole, query] = splitQuery(node.path);
  return plainNode(
    whole + (/^https?:/i.test(whole) ? more.split('/').map(encodeURIComponent).join('/') : more) + query,
  );
}

/** Splits the query of a URL off. */
export function splitQuery(path: string): [path: string, query: string] {
  const at = /^https?:/i.test(path) ? path.indexOf('?') : -1;
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at)];
}

/** The plain paths at the bottom. */
export function plainPathsOf(node: KvNode): string[] {
  if (node.kind === 'plain') return [node.path];
  if (node.kind === 'kvstack') return node.layers.flatMap(({ base }) => plainPathsOf(base));
  return [...plainPathsOf(node.base), ...(node.manifest ? plainPathsOf(node.manifest) : [])];
}
