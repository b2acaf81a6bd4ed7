/** The volumes that a service answers for, by name. */
import { byName } from '../base/option-names.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { partsOf } from '../graphene/precomputed-volume.ts';
import { openVolume, type OpenedVolume } from '../lookup-table/open-volume.ts';
import { isStore } from '../storage/store.ts';

/** A volume to serve: its name in URLs, and its cloud path. */
export interface NamedVolumePath {
  name: string;
  path: string;
  /**
   * Nanometres per unit of the positions that clients of the transform service send, xyz.
   * @default what they know the name for, else the voxel of mip 0
   */
  voxelSize?: Vec3;
}

/** A volume that is served. */
export interface ServedVolume extends NamedVolumePath {
  opened: OpenedVolume;
}

/** The volumes of one service. */
export class ServedVolumes implements AsyncDisposable {
  readonly #volumes: ReadonlyMap<string, ServedVolume>;

  private constructor(volumes: ReadonlyMap<string, ServedVolume>) {
    this.#volumes = volumes;
  }

  /**
   * Opens volumes one after the other. If one cannot be opened, all of them are closed.
   * @param isPublic Whether anybody may ask for the voxels of a volume: then they are read without credentials.
   */
  static async open(
    volumes: readonly NamedVolumePath[],
    options: OpenGrapheneOptions,
    isPublic: (name: string) => boolean = () => false,
  ): Promise<ServedVolumes> {
    const opened = new Map<string, ServedVolume>(),
      served = new ServedVolumes(opened);
    try {
      for (const volume of volumes) {
        const how = isPublic(volume.name) ? withoutCredentials(options) : options,
          own = await openVolume(volume.path, how, byName);
        // Points that miss are the callers' own affair, and no news for whoever runs the service.
        partsOf(own.graph ?? own.plain).warnOfCall = () => undefined;
        opened.set(volume.name, { ...volume, opened: own });
      }
    } catch (error) {
      await served.close();
      throw error;
    }
    return served;
  }

  get names(): string[] {
    return [...this.#volumes.keys()];
  }

  /** Returns the volume of a name; undefined if none has it. */
  find(name: string): ServedVolume | undefined {
    return this.#volumes.get(name);
  }

  async close(): Promise<void> {
    for (const { opened } of this.#volumes.values()) await (opened.graph ?? opened.plain)?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const withoutCredentials = (options: OpenGrapheneOptions): OpenGrapheneOptions =>
  isStore(options.storage)
    ? options
    : { ...options, storage: { ...options.storage, credentials: 'anonymous' } };
