/**
 * Spells the path of a volume as a source of Neuroglancer.
 * Source: Neuroglancer, src/datasource/index.ts and src/kvstore/url.ts (`URL|ocdbt:…|neuroglancer-precomputed:`);
 * nglui, src/nglui/statebuilder/utils.py (`parse_graphene_header`) for `middleauth+`.
 */

/** Storage that a browser can read. */
const READABLE = /^(?:https?|gs|s3|s3\+https?):\/\//i;

/**
 * Returns the source of a volume: `graphene://middleauth+https://…`, `precomputed://gs://…`, or
 * `gs://…|ocdbt:…|neuroglancer-precomputed:`.
 *
 * @param path The path of the volume, without `precomputed://`.
 * @param needsToken Whether the server of a graph requires a log-in.
 * @returns undefined if no browser can read the volume, because it is in a folder or in memory.
 */
export function viewerSource(path: string, { needsToken = false } = {}): string | undefined {
  const [, graph] = /^graphene:\/\/(?:middleauth\+)?(https?:\/\/.*)$/is.exec(path) ?? [];
  if (graph !== undefined) return `graphene://${needsToken ? 'middleauth+' : ''}${graph}`;
  if (!READABLE.test(path)) return undefined;
  return path.includes('|ocdbt:')
    ? `${path.replace(/\/*$/, '/')}|neuroglancer-precomputed:`
    : `precomputed://${path}`;
}
