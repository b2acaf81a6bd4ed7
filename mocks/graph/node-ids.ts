import { Uint64Index } from './uint64-index.ts';
import { wordsOfId, type NodeIdLayout } from './node-id-layout.ts';

/**
 * Gives out IDs for new nodes, as words: the next free segment of a graph chunk, or an ID that the caller
 * chooses.
 */
export class NodeIds {
  /** Index into `#lastSegment`, by the ID of the graph chunk. */
  readonly #chunkIndex = new Uint64Index();
  readonly #lastSegment: number[] = [];

  constructor(readonly layout: NodeIdLayout) {}

  /** The next free ID of a graph chunk. */
  next(layer: number, x: number, y: number, z: number): [number, number] {
    const counter = this.#counterOf(this.layout.idWords(layer, x, y, z, 0));
    return this.layout.idWords(layer, x, y, z, ++this.#lastSegment[counter]);
  }

  /**
   * Reserves a chosen ID. Later IDs of its graph chunk are larger.
   * @throws RangeError for an ID of another layer.
   */
  reserve(id: bigint, layer: number): [number, number] {
    if (this.layout.layerOfId(id) !== layer)
      throw new RangeError(`${id} is not a root ID: its layer is not ${layer}`);
    const counter = this.#counterOf(wordsOfId(this.layout.chunkIdOf(id)));
    const segment = Number(this.layout.segmentOf(id));
    this.#lastSegment[counter] = Math.max(this.#lastSegment[counter], segment);
    return wordsOfId(id);
  }

  #counterOf([low, high]: readonly [number, number]): number {
    let counter = this.#chunkIndex.get(low, high);
    if (counter < 0) {
      counter = this.#lastSegment.length;
      this.#lastSegment.push(0);
      this.#chunkIndex.set(low, high, counter);
    }
    return counter;
  }
}
