/**
 * Reads the condensed pins label format: a background label, the other labels, the components of each slice,
 * and for each label its vertical lines ("pins": first voxel, number of further slices) and single
 * components. Components that no line reaches are background. The whole section is always read, because pins
 * are sorted by label and not by slice.
 * Source: crackle, README.md, "Condensed (Variable Width) Pins Label Format"; src/labels.hpp.
 */
import { DecodeError } from '../../base/errors.ts';
import { componentAt } from './slice-components.ts';
import type { CrackleHeader, CrackleSections } from './header.ts';
import { checkCount, readComponentCounts, SectionReader } from './slice-labels.ts';
import type { SliceLabels } from './slice-labels.ts';
import { readUint, widthFor } from './read-uint.ts';

/** Reads the labels section. @throws DecodeError TRUNCATED, WRONG_SIZE or BAD_HEADER. */
export function readPinLabels(
  view: DataView,
  { storedWidth, shape }: CrackleHeader,
  { labelsFrom, labelsTo }: CrackleSections,
): SliceLabels {
  const [sx, sy, sz] = shape;
  const voxels = sx * sy * sz;
  const reader = new SectionReader(view, labelsFrom, labelsTo);
  const background = reader.skip(storedWidth);
  const count = reader.uint(8);
  const table = reader.skip(count * storedWidth);
  const before = readComponentCounts(reader, shape);
  const total = before[sz];
  const widths = reader.uint(1);
  const countWidth = 1 << (widths & 3);
  const depthWidth = 1 << ((widths >>> 2) & 3);
  const componentWidth = 1 << ((widths >>> 4) & 3);
  const indexWidth = widthFor(voxels);

  /** The byte offset of each component's label. Components are numbered through all slices. */
  const labelOf = new Uint32Array(total).fill(background);
  /** For each pin: first voxel, last slice, byte offset of the label. */
  const pins: number[] = [];
  for (let label = 0; label < count; label++) {
    const labelAt = table + label * storedWidth;
    const pinCount = reader.uint(countWidth);
    // In a valid chunk, every pin reaches a component that no other pin reaches. This bounds the pins that
    // are walked for each slice.
    if (pins.length / 3 + pinCount > total)
      throw new DecodeError('BAD_HEADER', `crackle: there are more pins than the ${total} components`);
    const indices = reader.skip(pinCount * indexWidth);
    const depths = reader.skip(pinCount * depthWidth);
    let voxel = 0;
    for (let pin = 0; pin < pinCount; pin++) {
      voxel += readUint(view, indices + pin * indexWidth, indexWidth);
      if (voxel >= voxels)
        throw new DecodeError('BAD_HEADER', `crackle: a pin starts at voxel ${voxel} of ${voxels}`);
      pins.push(
        voxel,
        Math.floor(voxel / (sx * sy)) + readUint(view, depths + pin * depthWidth, depthWidth),
        labelAt,
      );
    }
    let component = 0;
    for (let singles = reader.uint(countWidth); singles > 0; singles--) {
      component += reader.uint(componentWidth);
      if (component >= total)
        throw new DecodeError(
          'BAD_HEADER',
          `crackle: component ${component} has a label, but there are ${total} components`,
        );
      labelOf[component] = labelAt;
    }
  }
  reader.finish();

  return {
    ofSlice(z, slice) {
      checkCount(z, slice, before);
      for (let pin = 0; pin < pins.length; pin += 3) {
        const voxel = pins[pin];
        if (voxel >= (z + 1) * sx * sy || pins[pin + 1] < z) continue;
        labelOf[before[z] + componentAt(slice, voxel % (sx * sy))] = pins[pin + 2];
      }
      return (component) => labelOf[before[z] + component];
    },
  };
}
