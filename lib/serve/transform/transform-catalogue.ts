/** The volumes of a service as datasets of the transform service. */
import type { Vec3 } from '../../base/vec3.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServedVolume, ServedVolumes } from '../volumes.ts';
import {
  describeDataset,
  FLOAT32_WHOLE,
  type LabelType,
  type TransformDataset,
} from './transform-dataset.ts';
import { SchemaRefusal } from './transform-error.ts';

/** A dataset in the answer to `GET /info`. */
export interface DatasetInfo {
  /** Numbers of its scales, for the URL. */
  scales: readonly number[];
  /** Nanometres per unit of a position, xyz. */
  voxel_size: Vec3;
  description: string;
  /** The type of the values in binary answers. */
  dtype: LabelType;
}

/** What the URL of a request asks. */
export interface Question {
  volume: ServedVolume;
  dataset: TransformDataset;
  /** The mip of the volume. */
  mip: number;
}

/** Whether a caller may ask for a volume. */
type MayRead = (volume: ServedVolume) => boolean;

export class TransformCatalogue {
  readonly #datasets = new Map<string, { volume: ServedVolume; dataset: TransformDataset | string }>();

  /** @param warn Receives what is wrong with a volume, when the service starts. */
  constructor(volumes: ServedVolumes, warn: (message: string) => void) {
    for (const name of volumes.names) {
      const volume = volumes.find(name)!,
        { graph, plain } = volume.opened;
      const dataset = describeDataset(name, graph ?? plain, volume.voxelSize);
      this.#datasets.set(name, { volume, dataset });
      if (typeof dataset === 'string')
        warn(`${name} is not served by the transform service's API (/info, /query): ${dataset}`);
      else if (dataset.isLarge)
        warn(
          `${name} has positions past ${FLOAT32_WHOLE}, which the binary requests of the transform service's API cannot name: they hold float32`,
        );
    }
  }

  /** Returns the answer to `GET /info`. */
  info(mayRead: MayRead): Record<string, DatasetInfo> {
    const readable = [...this.#datasets].flatMap(([name, { volume, dataset }]) =>
      typeof dataset === 'string' || !mayRead(volume)
        ? []
        : [
            [
              name,
              {
                scales: [...dataset.mips.keys()],
                voxel_size: dataset.voxelSize,
                description: volume.opened.graph ? 'supervoxels' : 'segmentation',
                dtype: dataset.dtype,
              },
            ] as const,
          ],
    );
    return Object.fromEntries(readable);
  }

  /**
   * Finds what the URL of a request names.
   * @throws SchemaRefusal for an unknown dataset, and a scale that is no number; HttpRefusal 400 for a scale or a
   *   volume that cannot be queried.
   */
  find({ dataset: name, scale }: Record<'dataset' | 'scale', string>, mayRead: MayRead): Question {
    const found = this.#datasets.get(name);
    if (!found || !mayRead(found.volume))
      throw new SchemaRefusal(
        ['path', 'dataset'],
        `no dataset has that name; GET /info lists those that you may ask`,
        'type_error.enum',
      );
    const { volume, dataset } = found;
    if (typeof dataset === 'string') throw new HttpRefusal(400, `${name} cannot be queried: ${dataset}`);
    if (!/^-?\d{1,9}$/.test(scale))
      throw new SchemaRefusal(['path', 'scale'], 'expected a whole number', 'type_error.integer');
    const mip = dataset.mips.get(Number(scale));
    if (mip === undefined)
      throw new HttpRefusal(
        400,
        `Scale ${Number(scale)} not found: ${name} has ${[...dataset.mips.keys()].join(', ')}`,
      );
    return { volume, dataset, mip };
  }
}
