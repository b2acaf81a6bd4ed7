/** What a caller may know about a volume. */
import type { GrapheneVolume } from '../../graphene/graphene-volume.ts';
import { partsOf } from '../../graphene/precomputed-volume.ts';
import { normalizeCloudPath } from '../../graphene/resolve/cloud-path.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';
import { redactUrl } from '../../http/excerpt.ts';
import type { Caller } from '../access/caller.ts';
import type { ServedVolume } from '../volumes.ts';

/** Describes a volume. */
export async function describeVolume(
  served: ServedVolume,
  caller: Caller,
  signal: AbortSignal,
): Promise<object> {
  const { name, opened } = served,
    volume = opened.graph ?? opened.plain,
    graph = opened.graph && caller.graphFor(served),
    viewer = opened.graph?.datastack?.viewerResolution;
  return {
    name,
    kind: opened.graph ? 'graph' : 'precomputed',
    data_type: volume.dataType,
    mip: partsOf(volume).mip,
    scales: volume.scales.flatMap((scale, mip) =>
      scale.error
        ? []
        : [
            {
              mip,
              resolution: scale.resolution,
              size: scale.size,
              offset: scale.voxelOffset,
              chunk_size: scale.chunkSize,
            },
          ],
    ),
    ...(viewer && { viewer_resolution: viewer }),
    roots: graph !== undefined,
    ...(graph && { timestamps: await timestampsOf(graph, signal) }),
    neuroglancer: { source: neuroglancerSource(served) },
  };
}

async function timestampsOf(graph: GrapheneVolume, signal: AbortSignal): Promise<object> {
  const settled = graph.settled().toISOString();
  try {
    const versions = await graph.datastack?.versions({ signal });
    return { settled, ...(versions && { materializations: versions }) };
  } catch {
    return { settled }; // the server of the materializations does not answer
  }
}

/** Returns the source of a layer of Neuroglancer; null for a volume that a browser cannot read. */
function neuroglancerSource({ path, opened }: ServedVolume): string | null {
  const datastack = opened.graph?.datastack;
  if (datastack) return redactSecrets(datastack.segmentationSource);
  const normal = normalizeCloudPath(path);
  if (opened.graph) return redactSecrets(redactUrl(normal));
  return /^(gs|s3|https?):\/\//.test(normal) ? `precomputed://${redactSecrets(redactUrl(normal))}` : null;
}
