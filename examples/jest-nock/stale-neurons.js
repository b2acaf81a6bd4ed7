/**
 * Finds the neurons of a saved table that have changed: the root at their anchor point is not the saved root.
 */
import { openGraphene } from 'graphene-points';

/**
 * @param {{ name: string, anchor: number[], root: bigint }[]} neurons
 * @returns {Promise<{ name: string, root: bigint, now: bigint }[]>} the neurons that changed, with their new
 *   roots
 */
export async function staleNeurons(cloudPath, neurons, { token, timestamp }) {
  const volume = await openGraphene(cloudPath, { token });
  try {
    const { rootIds } = await volume.at(timestamp).scatteredPoints(neurons.map(({ anchor }) => anchor));
    return neurons
      .map(({ name, root }, k) => ({ name, root, now: rootIds[k] }))
      .filter(({ root, now }) => root !== now);
  } finally {
    await volume.close();
  }
}
