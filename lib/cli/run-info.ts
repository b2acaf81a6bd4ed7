/** Runs `graphene-points info`: prints a volume's type, scales, bounds and graph. */
import { toPrintable } from '../base/printable.ts';
import { redactSecrets } from '../base/secret-redaction.ts';
import { formatVec3 } from '../base/vec3.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { checkDecoders } from '../graphene/load-decoders.ts';
import type { FoundVolume } from '../graphene/open-and-resolve.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { isOcdbtStore, type OcdbtStore } from '../ocdbt/ocdbt-store.ts';
import { scaleBounds } from '../precomputed/volume-info.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import type { Io } from './io.ts';
import { flagNames } from './flag-names.ts';
import { inspectVolume } from '../lookup-table/open-volume.ts';
import { alignColumns, stripControls, type Report } from './report.ts';
import { optionsFromFlags } from './options-from-flags.ts';

/** The flags that are not in an option table. */
export interface InfoFlags {
  json?: boolean;
}

/** Prints the description of a volume as text or JSON. */
export async function runInfo(path: string, flags: InfoFlags, io: Io, report: Report): Promise<void> {
  const { json } = flags;
  const known = await inspectVolume(
    path,
    {
      ...optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags),
      storage: optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags),
      signal: io.signal,
      logger: report,
    },
    flagNames('--points'),
  );
  const scales = await checkDecoders(known.info, path);
  const summary = summarise(path, { ...known, info: { ...known.info, scales } });
  io.stdout.write(redactSecrets(json ? `${JSON.stringify(summary, null, 2)}\n` : toText(summary)));
}

function summarise(path: string, { description, info, graph, store, voxels }: FoundVolume) {
  const { redirects } = description,
    { type, dataType, numChannels, scales } = info;
  const datastack = description.kind === 'graphene' ? description.datastack : null;
  return {
    path,
    ...(redirects.length > 0 && { redirects }),
    ...(!graph && isOcdbtStore(store) && { ocdbt: summariseOcdbt(store) }),
    type,
    dataType,
    numChannels,
    ...(datastack && {
      datastack: {
        name: datastack.name,
        server: datastack.server,
        segmentationSource: datastack.segmentationSource,
        localServer: datastack.localServer?.url,
        viewerResolution: datastack.viewerResolution ?? undefined,
      },
    }),
    ...(graph && {
      graph: {
        nLayers: graph.nLayers,
        chunkSize: graph.chunkSize,
        cvMip: graph.cvMip,
        chunksStartAtVoxelOffset: graph.chunksStartAtVoxelOffset,
        apiVersions: graph.apiVersions,
        dataDir: graph.dataDir,
        supervoxelsSplit: graph.ocdbt,
        ...(voxels && {
          voxels: {
            url: voxels.store.url,
            generation: voxels.store.generation,
            committedAt: voxels.store.commitTime,
            mips: [...voxels.mips],
          },
        }),
      },
    }),
    scales: scales.map(({ error, ...scale }) =>
      error ? { ...scale, error: error.message } : { ...scale, bounds: scaleBounds(scale) },
    ),
  };
}

const summariseOcdbt = ({ url, generation, commitTime, latestGeneration }: OcdbtStore) => ({
  url,
  generation,
  committedAt: commitTime,
  latestGeneration,
});

function toText({
  path,
  redirects,
  ocdbt,
  type,
  dataType,
  numChannels,
  datastack,
  graph,
  scales,
}: ReturnType<typeof summarise>): string {
  const lines = [
    path,
    `${type} of ${dataType}, ${numChannels} ${numChannels === 1 ? 'channel' : 'channels'}`,
  ];
  if (redirects) lines.splice(1, 0, `redirects: ${redirects.join(' -> ')}`);
  if (ocdbt)
    lines.push(
      `OCDBT database: generation ${ocdbt.generation} of ${ocdbt.committedAt}${ocdbt.generation === ocdbt.latestGeneration ? ', the latest' : `; the latest is ${ocdbt.latestGeneration}`}`,
    );
  if (datastack)
    lines.push(
      `datastack of ${datastack.server}: ${datastack.segmentationSource}; its viewer uses ${datastack.viewerResolution ? `voxels of ${formatVec3(datastack.viewerResolution)} nm` : 'an unknown resolution'}`,
    );
  if (graph) {
    lines.push(
      `graph: ${graph.nLayers} layers; chunks of ${formatVec3(graph.chunkSize)} voxels of mip ${graph.cvMip} (cv_mip), counted from ${graph.chunksStartAtVoxelOffset ? 'the voxel offset' : 'voxel 0'}`,
    );
    lines.push(
      `graph API versions: ${graph.apiVersions.join(', ') || 'unknown'}`,
      `watershed: ${graph.dataDir ?? 'unknown'}`,
      `supervoxels: ${graph.supervoxelsSplit ? 'can split' : 'never split'}`,
    );
    if (graph.voxels)
      lines.push(
        `voxels: generation ${graph.voxels.generation} of ${graph.voxels.committedAt}, mip ${graph.voxels.mips.join(', ')} of ${graph.voxels.url}`,
      );
  }
  const head = [
    'mip',
    'resolution (nm)',
    'size',
    'voxel offset',
    'chunk size',
    'encoding',
    'bounds (min to max, max is outside)',
    'key',
  ];
  const cells = scales.map((scale) => [
    String(scale.mip),
    formatVec3(scale.resolution),
    formatVec3(scale.size),
    formatVec3(scale.voxelOffset),
    formatVec3(scale.chunkSize),
    scale.sharding === undefined ? scale.encoding : `${scale.encoding}, sharded`,
    'error' in scale
      ? `cannot be read: ${scale.error}`
      : `${formatVec3(scale.bounds.min)} to ${formatVec3(scale.bounds.max)}`,
    toPrintable(scale.key),
  ]);
  return `${[...lines.map(stripControls), '', ''].join('\n')}${alignColumns([head, ...cells])}`;
}
