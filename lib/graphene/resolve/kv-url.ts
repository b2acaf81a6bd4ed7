/**
 * Reads the URLs of OCDBT databases, such as `https://HOST/DB/|ocdbt:@v12/PATH`.
 * Source: TensorStore, kvstore/ocdbt/schema.yml; Neuroglancer, src/kvstore/ocdbt/url.ts.
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { parseOcdbtVersionName, type OcdbtVersion } from '../../ocdbt/format/version-spec.ts';
import { asFolder, badKvPath, MAX_KV_DEPTH, plainNode, type KvNode } from './kv-node.ts';

const OCDBT_PART = /^\s*ocdbt:(?!\/\/)(?:@([^/]*)(?:\/|$))?(.*)$/is;

/** Reads a URL, such as `gs://BUCKET/PATH/` or `https://HOST/DB/|ocdbt:@v12/PATH`. */
export function parseKvUrl(url: string): KvNode {
  const [first, ...parts] = url.split('|');
  if (parts.length > MAX_KV_DEPTH)
    throw badKvPath(`${redactUrl(first)}: more than ${MAX_KV_DEPTH} stores within one another`);
  const location = first.trim();
  if (location === '') throw badKvPath('a kvstore has an empty URL');
  return parts.reduce<KvNode>((base, part) => {
    const [, version, path] = OCDBT_PART.exec(part) ?? [];
    if (path === undefined)
      throw new PathError(
        'UNSUPPORTED_SCHEME',
        `${redactUrl(location)}: |${toPrintable(part.trim(), 60)} is not supported; |ocdbt: is`,
      );
    return {
      kind: 'ocdbt',
      base: asFolder(base),
      ...(version !== undefined && { version: asVersionName(version) }),
      path: decodePath(path.trim()),
    };
  }, plainNode(location));
}

/** Whether a part after a `|` names a database. */
export const isOcdbtPart = (part: string): boolean => OCDBT_PART.test(part);

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badKvPath(`|ocdbt:${toPrintable(path, 60)}: the path is not percent-encoded UTF-8`);
  }
}

function asVersionName(name: string): OcdbtVersion {
  try {
    parseOcdbtVersionName(name);
  } catch {
    throw badKvPath(
      `|ocdbt:@${toPrintable(name, 40)} names no version: expected @v12, or a time such as @2024-06-05T10:10:01.203Z`,
    );
  }
  return /^v\d+$/.test(name) ? Number(name.slice(1)) : name;
}
