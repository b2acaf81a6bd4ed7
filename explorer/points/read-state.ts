/** Reads points from the annotation layers of a Neuroglancer state. */
import { isLookupError } from '../../lib/base/is-lookup-error.ts';
import { toPrintable } from '../../lib/base/printable.ts';
import { pointsOfState } from '../../lib/neuroglancer/state-points.ts';
import { PasteError, type PastedPoints, requireRoom } from './pasted-points.ts';

export { isStateLink, toPlainJson } from '../../lib/neuroglancer/state-text.ts';

/** Returns whether JSON is a Neuroglancer state: it has layers. */
export const isState = (json: unknown): json is object =>
  typeof json === 'object' && json !== null && 'layers' in json;

/**
 * Reads the points of all annotation layers.
 *
 * @param state The JSON, or a link that holds it. A link that only names where the state is cannot be read: the
 *   page asks no other server.
 * @throws PasteError
 */
export function readState(state: string | object): PastedPoints {
  try {
    const { points, resolution, layer, annotation, part, description, elsewhere } = pointsOfState(state);
    requireRoom(layer.length);
    if (layer.length === 0) throw new PasteError('The annotation layers of the state have no points.');
    return {
      form: 'Neuroglancer state',
      coordinates: points,
      resolution,
      columns: [
        { name: 'layer', values: layer },
        { name: 'annotation', values: annotation },
        { name: 'part', values: part },
        { name: 'description', values: description.map((text) => text ?? '') },
      ].filter(
        ({ name, values }) => name === 'layer' || values.some((value) => value !== '' && value !== 'point'),
      ),
      notes: elsewhere.map(
        ({ layer: name, source }) =>
          `The annotations of layer ${toPrintable(name, 80)} are not in the state, but at ${source}. They were not read.`,
      ),
    };
  } catch (error) {
    if (isLookupError(error, 'UNSUPPORTED'))
      throw new PasteError(
        `${error.message}. This page asks no other server: open the state in the viewer, copy its JSON, and paste that.`,
      );
    if (isLookupError(error)) throw new PasteError(`The state cannot be read: ${error.message}`);
    throw error;
  }
}
