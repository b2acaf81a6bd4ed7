/**
 * The dimensions of a state or of a layer: names, in order, with nanometres per unit.
 * Source: Neuroglancer, src/coordinate_transform.ts (`coordinateSpaceFromJson`, `isValidDimensionName`) and
 * src/util/si_units.ts.
 */
import { StateError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';

/** One dimension. */
export interface Dimension {
  name: string;
  /** Nanometres per unit of its coordinates; undefined if it is not a length. */
  nm: number | undefined;
}

/** Powers of ten of the prefixes of units. */
const PREFIXES: readonly (readonly [string, number])[] = [
  ['Y', 24],
  ['Z', 21],
  ['E', 18],
  ['P', 15],
  ['T', 12],
  ['G', 9],
  ['M', 6],
  ['k', 3],
  ['h', 2],
  ['da', 1],
  ['', 0],
  ['d', -1],
  ['c', -2],
  ['m', -3],
  ['µ', -6],
  ['u', -6],
  ['n', -9],
  ['p', -12],
  ['f', -15],
  ['a', -18],
  ['z', -21],
  ['y', -24],
];
/** The power of ten of each unit; undefined for one that is not a length. */
const UNITS = new Map<string, number | undefined>([['', undefined]]);
for (const [prefix, power] of PREFIXES) {
  UNITS.set(`${prefix}m`, power);
  for (const other of ['s', 'Hz', 'rad/s']) UNITS.set(`${prefix}${other}`, undefined);
}

/**
 * Reads dimensions: `{"x": [4e-9, "m"], "y": …}`.
 *
 * @param where Names the layer, for messages.
 * @param allowNumbers Whether a name may be a number, as the names of input dimensions are.
 * @throws StateError BAD_LAYER.
 */
export function readDimensions(
  json: unknown,
  where: string,
  layer?: string,
  allowNumbers = false,
): Dimension[] {
  const refuse = (reason: string): StateError => new StateError('BAD_LAYER', `${where} ${reason}`, { layer });
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw refuse('are not an object such as {"x": [4e-9, "m"], …}');
  return Object.entries(json).map(([name, value]) => {
    const shown = toPrintable(JSON.stringify(name), 40);
    if (!(allowNumbers && /^\d+$/.test(name)) && !/^[a-z]\w*['^]?$/i.test(name))
      throw refuse(`have ${shown}, which is not a name of a dimension`);
    // A dimension with labels, such as channels, has no length.
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { name, nm: undefined };
    const [scale, unit, ...more] = Array.isArray(value) ? (value as unknown[]) : [];
    const size = toNumber(scale);
    if (size === undefined || !(size > 0) || typeof unit !== 'string' || more.length > 0)
      throw refuse(`have ${shown}, which is not a positive number and a unit, such as [4e-9, "m"]`);
    if (!UNITS.has(unit))
      throw refuse(
        `have ${shown} in ${toPrintable(JSON.stringify(unit), 40)}, which is not a unit of Neuroglancer`,
      );
    const power = UNITS.get(unit),
      nm = power === undefined ? undefined : shiftDecimal(size, power + 9);
    if (nm !== undefined && !(nm > 0 && Number.isFinite(nm)))
      throw refuse(`have ${shown}, whose scale is not a length`);
    return { name, nm };
  });
}

/** Reads a number, or a text that is one, as Neuroglancer does; undefined for all else. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || !/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value))
    return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Rounding errors of a double, relative to it: a few units in its last place. */
const NOISE = 1e-15;

/**
 * Multiplies a number by a power of ten: the decimal that is written, and not its nearest double, is shifted.
 * So 4e-9 m are 4 nm. Noise of earlier sums, such as 4.000000000000001e-9, is taken away.
 */
export function shiftDecimal(value: number, power: number): number {
  const [digits, exponent] = value.toExponential().split('e'),
    shifted = Number(`${digits}e${Number(exponent) + power}`),
    plain = Number(shifted.toPrecision(12));
  return isSameSize(plain, shifted) ? plain : shifted;
}

/** Whether two sizes differ by rounding errors only, as those of one size in nanometres and in metres do. */
export const isSameSize = (a: number, b: number): boolean => Math.abs(a - b) <= NOISE * Math.abs(b);
