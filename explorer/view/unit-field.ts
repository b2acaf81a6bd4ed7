/** The choice of the unit of the coordinates. */
import { formatVec3, type Vec3 } from '../../lib/base/vec3.ts';
import type { Unit } from '../points/units.ts';
import { readNumber } from '../points/read-number.ts';
import type { VolumeInfo } from '../service/volume-info.ts';
import { byId, option } from './dom.ts';

const show = (resolution: Vec3): string => `${resolution.join(' × ')} nm`;

export class UnitField {
  readonly #select = byId<HTMLSelectElement>('unit');
  readonly #box = byId('custom-unit');
  readonly #custom = byId<HTMLInputElement>('custom-resolution');
  #units: readonly (Unit & { key: string })[] = [];

  constructor(onChange: () => void) {
    this.#select.addEventListener('change', () => {
      this.#box.hidden = this.#select.value !== 'custom';
      onChange();
    });
    this.#custom.addEventListener('input', onChange);
  }

  /** The units that a volume has. */
  get units(): readonly Unit[] {
    return this.#units;
  }

  setInfo({ scales, viewer_resolution: viewer }: VolumeInfo): void {
    const before = this.#select.value || 'voxels';
    this.#units = [
      { key: 'voxels', name: `voxels (${show(scales[0].resolution)})`, resolution: scales[0].resolution },
      ...(viewer ? [{ key: 'viewer', name: `as in the viewer (${show(viewer)})`, resolution: viewer }] : []),
      { key: 'nm', name: 'nanometres', resolution: [1, 1, 1] },
    ];
    this.#select.replaceChildren(
      ...this.#units.map(({ key, name }) => option(key, name)),
      option('custom', 'another…'),
    );
    if ([...this.#select.options].some(({ value }) => value === before)) this.#select.value = before;
    this.#box.hidden = this.#select.value !== 'custom';
  }

  /** Nanometres per unit. @throws RangeError */
  get resolution(): Vec3 {
    const { value } = this.#select;
    const unit = this.#units.find(({ key }) => key === value);
    if (unit) return unit.resolution;
    const numbers = this.#custom.value
      .split(/[\s,;×x]+/)
      .filter(Boolean)
      .map(readNumber);
    if (numbers.length !== 3 || !numbers.every((number) => number > 0))
      throw new RangeError('Enter three positive numbers: nanometres per unit along x, y and z.');
    return numbers as unknown as Vec3;
  }

  /** Chooses a unit: one of the list, if it is there. */
  choose(resolution: Vec3): void {
    const known = this.#units.find((unit) => formatVec3(unit.resolution) === formatVec3(resolution));
    this.#select.value = known?.key ?? 'custom';
    if (!known) this.#custom.value = formatVec3(resolution);
    this.#box.hidden = known !== undefined;
  }
}
