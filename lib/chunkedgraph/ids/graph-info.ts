/**
 * Reads and checks the chunkedgraph part of a table's info, as a PyChunkedGraph server serves it.
 *
 * Source: PyChunkedGraph, pychunkedgraph/app/segmentation/common.py, `handle_info`; CloudVolume,
 * datasource/graphene/metadata.py.
 */
import * as z from 'zod/mini';
import { InfoError } from '../../base/errors.ts';
import type { Vec3 } from '../../base/vec3.ts';
import { firstIssue, integerBetween, safeParse } from '../../base/schema.ts';
import { IdLayout } from './id-layout.ts';

/** The shape of a graph: its layers, its graph chunks and its IDs. */
export interface GraphInfo {
  /** Size of a graph chunk, xyz, in voxels of mip `cvMip`. It is not the size of a storage chunk. */
  chunkSize: Vec3;
  /** Layer of the roots. Supervoxels are layer 1. */
  nLayers: number;
  /** Mip of the voxels that the graph is built from. */
  cvMip: number;
  /** Whether graph chunks are counted from the voxel offset. If false, they are counted from voxel 0. */
  chunksStartAtVoxelOffset: boolean;
  /** How the bits of an ID are divided. */
  ids: IdLayout;
  /** How many chunks of one layer lie along each side of a chunk of the next layer, from layer 2 on. */
  fanOut: number;
  /** Cloud path of the watershed, as the server states it. Do not send credentials there without a check. */
  dataDir: string | undefined;
  /** API versions that the server claims to support. It may support others. */
  apiVersions: number[];
  /**
   * Whether supervoxels can split. Then their current state is in OCDBT, and `dataDir` holds their original
   * state.
   */
  ocdbt: boolean;
  /** TensorStore spec of the graph's voxels, as the server states it. Only with `ocdbt`; not checked. */
  ocdbtSpec?: unknown;
  /** Folder of the graph's voxels below `dataDir`, as earlier servers state it. Only with `ocdbt`. */
  ocdbtPath?: string;
}

const count = z.int().check(z.positive());

const schema = z.looseObject({
  data_dir: z.nullish(z.string()),
  chunks_start_at_voxel_offset: z.nullish(z.boolean()),
  ocdbt_seg: z.optional(z.unknown()),
  app: z.catch(
    z.nullish(
      z.looseObject({
        ocdbt_seg: z.optional(z.unknown()),
        supported_api_versions: z.nullish(z.array(z.int())),
      }),
    ),
    null,
  ),
  graph: z.looseObject({
    chunk_size: z.tuple([count, count, count]),
    n_layers: integerBetween(2, 255),
    n_bits_for_layer_id: z.nullish(integerBetween(1, 32)),
    cv_mip: z.nullish(z.int().check(z.nonnegative())),
    ocdbt_seg: z.optional(z.unknown()),
    ocdbt_kvstore_spec: z.optional(z.unknown()),
    ocdbt_path: z.catch(z.nullish(z.string()), null),
    fan_out: z.nullish(integerBetween(2, 1024)),
    spatial_bit_masks: z.nullish(z.record(z.string().check(z.regex(/^\d+$/)), integerBetween(0, 31))),
  }),
});

/** Any value counts as true, except false, null, 0, an empty text and `'false'`. */
const isSet = (value: unknown): boolean => Boolean(value) && value !== 'false';

/**
 * Reads the graph part of an info.
 *
 * @throws InfoError BAD_INFO, with the name of the first wrong field.
 */
export function parseGraphInfo(json: unknown, url: string): GraphInfo {
  const parsed = safeParse(schema, json);
  if (!parsed.success)
    throw new InfoError(
      'BAD_INFO',
      `info at ${url} does not describe a chunkedgraph: ${firstIssue(parsed.error)}`,
      url,
    );
  const {
    graph,
    app,
    data_dir: dataDir,
    chunks_start_at_voxel_offset: atOffset,
    ocdbt_seg: ocdbt,
  } = parsed.data;
  const layerBits = graph.n_bits_for_layer_id ?? 8;
  if (graph.n_layers >= 2 ** layerBits)
    throw new InfoError(
      'BAD_INFO',
      `info at ${url}: graph.n_layers ${graph.n_layers} does not fit in ${layerBits} bits`,
      url,
    );
  const spatialBits = new Map(
    Object.entries(graph.spatial_bit_masks ?? {}).map(([layer, bits]) => [Number(layer), bits]),
  );
  for (const [layer, bits] of spatialBits)
    if (layerBits + 3 * bits > 64)
      throw new InfoError(
        'BAD_INFO',
        `info at ${url}: graph.spatial_bit_masks.${layer}: 3 x ${bits} bits and ${layerBits} layer bits do not fit in 64`,
        url,
      );
  const canSplit = [ocdbt, graph.ocdbt_seg, app?.ocdbt_seg].some(isSet);
  return {
    chunkSize: graph.chunk_size,
    nLayers: graph.n_layers,
    cvMip: graph.cv_mip ?? 0,
    chunksStartAtVoxelOffset: atOffset ?? false,
    ids: new IdLayout({ layerBits, spatialBits }),
    fanOut: graph.fan_out ?? 2,
    dataDir: dataDir ?? undefined,
    apiVersions: app?.supported_api_versions ?? [],
    ocdbt: canSplit,
    ...(canSplit && isSet(graph.ocdbt_kvstore_spec) && { ocdbtSpec: graph.ocdbt_kvstore_spec }),
    ...(canSplit && graph.ocdbt_path && { ocdbtPath: graph.ocdbt_path }),
  };
}
