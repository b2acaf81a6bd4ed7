/** Opens the stores that a TensorStore spec or a URL with a `|ocdbt:` describes. */
import { PathError } from '../../base/errors.ts';
import { importPackage } from '../../http/import-package.ts';
import { isOcdbtStore } from '../../ocdbt/ocdbt-store.ts';
import { KvStackStore } from '../../storage/kvstack.ts';
import type { Store } from '../../storage/store.ts';
import { splitQuery, type KvNode } from './kv-node.ts';

/** How the stores at the bottom are opened. */
export interface OpenKvStoreOptions {
  /** Opens a folder, at a path as `openStore` takes it. */
  open: (path: string) => Promise<Store>;
  signal?: AbortSignal;
}

type OcdbtCode = typeof import('../../ocdbt/open-ocdbt.ts');
let ocdbtCode: Promise<OcdbtCode> | undefined;

/** Loads once what only databases need. A failed load is retried at the next call. */
function loadOcdbt(): Promise<OcdbtCode> {
  ocdbtCode ??= importPackage(() => import('../../ocdbt/open-ocdbt.ts'));
  ocdbtCode.catch(() => (ocdbtCode = undefined));
  return ocdbtCode;
}

/** A store, and what comes before each key in it. */
interface OpenedNode {
  store: Store;
  prefix: string;
}

/**
 * Opens a folder: the keys of the store are below the path of the node. The manifests of databases are read.
 * @throws As `openOcdbt` and `options.open`; PathError BAD_PATH for layers that are impossible.
 */
export async function openKvStore(node: KvNode, options: OpenKvStoreOptions): Promise<Store> {
  const { store, prefix } = await openNode(folderOf(node), options),
    folder = prefix.replace(/\/$/, '');
  if (folder === '') return store;
  return isOcdbtStore(store) ? store.below(folder) : new KvStackStore([{ store, base: `${folder}/` }]);
}

/** A plain path opens as a whole if it is that of a folder. */
const folderOf = (node: KvNode): KvNode => {
  if (node.kind !== 'plain') return node;
  const [path, query] = splitQuery(node.path);
  return path.endsWith('/') ? node : { kind: 'plain', path: `${path}/${query}` };
};

async function openNode(node: KvNode, options: OpenKvStoreOptions): Promise<OpenedNode> {
  if (node.kind === 'plain') {
    const { folder, prefix } = splitPlain(node.path);
    return { store: await options.open(folder), prefix };
  }
  if (node.kind === 'ocdbt') {
    const data = await openKvStore(node.base, options),
      manifest = node.manifest && (await openKvStore(node.manifest, options));
    const { version } = node,
      { signal } = options,
      { openOcdbt } = await loadOcdbt();
    return { store: await openOcdbt(data, { version, manifest, signal }), prefix: node.path };
  }
  const layers = await Promise.all(
    node.layers.map(async ({ base, ...range }) => {
      const { store, prefix } = await openNode(base, options);
      return { ...range, store, base: prefix };
    }),
  );
  try {
    return { store: new KvStackStore(layers), prefix: node.path };
  } catch (error) {
    if (error instanceof TypeError) throw new PathError('BAD_PATH', error.message, { cause: error });
    throw error;
  }
}

/** Splits a path that may end inside a name into its folder and the beginning of the name. */
function splitPlain(path: string): { folder: string; prefix: string } {
  const [whole, query] = splitQuery(path),
    root = /^[a-z][a-z\d+.-]*:\/\/[^/]*/i.exec(whole)?.[0] ?? '';
  const slash = whole.lastIndexOf('/');
  if (slash < root.length) return { folder: whole + query, prefix: '' };
  const prefix = whole.slice(slash + 1);
  return {
    folder: (whole.slice(0, slash) || '/') + query,
    prefix: /^(middleauth\+)?https?:/i.test(root) ? decodeURIComponent(prefix) : prefix,
  };
}
