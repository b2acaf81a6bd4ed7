/** Runs `graphene-points serve`: answers requests over HTTP until it is interrupted. */
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { ACCESS_OPTIONS, type AccessOptions } from '../serve/access/access-options.ts';
import { createService } from '../serve/create-service.ts';
import { SERVICE_OPTIONS } from '../serve/service-options.ts';
import type { ServiceOptions } from '../serve/service-types.ts';
import type { NamedVolumePath } from '../serve/volumes.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import { UsageError, type Io } from './io.ts';
import type { NamedPath, NamedVoxelSize } from './option-values.ts';
import { optionsFromFlags } from './options-from-flags.ts';
import type { Report } from './report.ts';

/** The flags of `serve` that are not in an option table. */
export interface ServeFlags {
  name?: NamedPath[];
  voxelSize?: NamedVoxelSize[];
}

/** Prints one line of JSON with the URL and the names, and serves until it is interrupted. */
export async function runServe(
  paths: readonly string[],
  flags: ServeFlags,
  io: Io,
  report: Report,
): Promise<void> {
  const volumes = withVoxelSizes(namedVolumes(paths, flags.name ?? []), flags.voxelSize ?? []);
  const storage = optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags),
    open = optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags);
  const service = await createService({
    ...optionsFromFlags<ServiceOptions>(SERVICE_OPTIONS, flags),
    volumes,
    open: { ...open, storage, logger: report, signal: io.signal },
    access: optionsFromFlags<AccessOptions>(ACCESS_OPTIONS, flags),
  });
  io.stdout.write(`${JSON.stringify({ url: service.url, volumes: volumes.map(({ name }) => name) })}\n`);
  if (!io.signal.aborted)
    await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }));
  await service.close();
}

/** Names the volumes of paths by the last part of each path. @throws UsageError. */
function namedVolumes(paths: readonly string[], named: readonly NamedPath[]): NamedVolumePath[] {
  const all = [
    ...paths.map((path) => ({ path, name: /([^/|]+)\/*$/.exec(path.split('|')[0])?.[1] ?? path })),
    ...named,
  ];
  if (all.length === 0) throw new UsageError('nothing to serve: give a cloud path, or --name NAME=CLOUDPATH');
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name))
      throw new UsageError(`two volumes have the name ${name}: give one of them another by --name`);
    names.add(name);
  }
  return all;
}

/** Adds the voxel sizes that were given by name. @throws UsageError for a name that no volume has. */
function withVoxelSizes(volumes: NamedVolumePath[], sizes: readonly NamedVoxelSize[]): NamedVolumePath[] {
  for (const { name } of sizes)
    if (!volumes.some((volume) => volume.name === name))
      throw new UsageError(
        `--voxel-size names ${name}, and the volumes are ${volumes.map((volume) => volume.name).join(', ')}`,
      );
  return volumes.map((volume) => ({
    ...volume,
    voxelSize: sizes.find(({ name }) => name === volume.name)?.voxelSize,
  }));
}
