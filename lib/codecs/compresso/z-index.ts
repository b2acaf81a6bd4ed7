/**
 * Reads the z-index of format version 1: where the components and the locations of each slice start.
 * Source: seung-lab/compresso, README.md "Random Access to Z-Slices (Format Version 1)".
 */
import { DecodeError } from '../../base/errors.ts';
import { uint64At } from './stream.ts';
import type { Section, CompressoStream } from './stream.ts';

/** Slice z has the components from `components[z]` to before `components[z + 1]`; its locations likewise. */
export interface SliceStarts {
  components: Float64Array;
  locations: Float64Array;
}

/** Reads the index. @throws DecodeError BAD_HEADER if it does not agree with the lengths in the header. */
export function readSliceStarts(
  { view, shape: [, , sz], ids, locations }: CompressoStream,
  index: Section,
): SliceStarts {
  const starts = { components: new Float64Array(sz + 1), locations: new Float64Array(sz + 1) };
  for (let z = 0, location = 0; z < sz; z++) {
    starts.components[z + 1] = starts.components[z] + integerAt(view, index, z);
    starts.locations[z] = location += integerAt(view, index, sz + z);
  }
  starts.locations[sz] = locations.count;
  if (starts.components[sz] !== ids.count) {
    throw new DecodeError(
      'BAD_HEADER',
      `compresso: the z-index has ${starts.components[sz]} components, the header has ${ids.count}`,
    );
  }
  if (starts.locations[0] !== 0 || starts.locations[sz - 1] > locations.count) {
    const got = `${starts.locations[0]} for the first slice, ${starts.locations[sz - 1]} for the last`;
    throw new DecodeError(
      'BAD_HEADER',
      `compresso: the z-index starts the locations at ${got}, of ${locations.count} locations`,
    );
  }
  return starts;
}

function integerAt(view: DataView, { at, width }: Section, k: number): number {
  if (width === 1) return view.getUint8(at + k);
  if (width === 2) return view.getUint16(at + 2 * k, true);
  return width === 4 ? view.getUint32(at + 4 * k, true) : uint64At(view, at + 8 * k);
}
