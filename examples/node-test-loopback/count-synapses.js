/** Counts the synapses of each neuron at a timestamp. */
import { openGraphene } from 'graphene-points';

/** @returns {Promise<Map<bigint, number>>} number of synapses by root ID */
export async function countSynapses(cloudPath, points, { timestamp, token = null }) {
  const volume = await openGraphene(cloudPath, { token });
  try {
    const { rootIds } = await volume.at(timestamp).scatteredPoints(points);
    const counts = new Map();
    for (const root of rootIds) if (root !== 0n) counts.set(root, (counts.get(root) ?? 0) + 1);
    return counts;
  } finally {
    await volume.close();
  }
}
