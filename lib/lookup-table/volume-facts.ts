/** Describes a volume for a report. */
import { redactUrl } from '../http/excerpt.ts';
import { graphenePartsOf } from '../graphene/graphene-volume.ts';
import { partsOf } from '../graphene/precomputed-volume.ts';
import { describeKvPath } from '../graphene/resolve/kv-path.ts';
import { isSpecText } from '../graphene/resolve/kvstore-spec.ts';
import { scaleAt } from '../precomputed/volume-info.ts';
import type { VolumeFacts } from '../report/model/run-record.ts';
import type { OpenedVolume } from './open-volume.ts';
import type { LookupVolume } from './table-types.ts';

/** Returns the path of a volume without credentials. */
export const safePath = (path: string): string => (isSpecText(path) ? describeKvPath(path) : redactUrl(path));

/** Describes an open volume. @param path Its path, or the volume itself if it was open before. */
export function volumeFactsOf(name: string, path: LookupVolume, { graph, plain }: OpenedVolume): VolumeFacts {
  const volume = graph ?? plain,
    { info, mip } = partsOf(volume),
    scale = scaleAt(info.scales, mip);
  return {
    name,
    path: typeof path === 'string' ? safePath(path) : 'a volume that was open before',
    what: `${volume.type} of ${volume.dataType}${volume.numChannels === 1 ? '' : `, ${volume.numChannels} channels`}`,
    resolution: scale.resolution,
    mip,
    generation: volume.generation,
    ...(graph && {
      graph: {
        server: redactUrl(graphenePartsOf(graph).path.tableUrl),
        apiVersions: graph.graph.apiVersions,
        layers: graph.graph.nLayers,
        supervoxelsSplit: graph.graph.supervoxelsSplit,
      },
      datastack: graph.datastack?.name,
      settled: graph.settled().toISOString(),
    }),
  };
}
