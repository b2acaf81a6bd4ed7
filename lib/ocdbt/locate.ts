/** Finds many keys in the B+tree at once, level by level, so that no node is read twice. */
import { cooperativeRunner, type CooperativeRunner } from '../base/cooperative-work.ts';
import { childAt, findChild, findValue, type BtreeNode, type FoundValue } from './format/btree-node.ts';
import type { Version } from './format/version-tree.ts';
import type { NodeReader, NodeRequest } from './node-reader.ts';
import type { SliceOptions } from './read-slice.ts';

/** Where keys are wanted. */
export interface LocateKeysOptions extends SliceOptions {
  nodes: NodeReader;
  version: Version;
  /** Most bytes of a decoded node. */
  maxNodeBytes: number;
  runner?: CooperativeRunner;
}

/** Where the value of a key is; `value` is undefined if it is not stored. */
export type Located = { value: FoundValue | undefined; error?: undefined } | { error: unknown };

/** A node to read, and the keys that are looked for in it. */
interface Step extends NodeRequest {
  readonly keys: readonly number[];
  /** How many bytes of the keys are settled. */
  readonly matched: number;
}

const ABSENT: Located = { value: undefined };

/**
 * Finds keys.
 * @param keys Distinct, as UTF-8.
 * @returns One place per key. A node that cannot be read fails the keys below it.
 * @throws signal.reason
 */
export async function locateKeys(
  keys: readonly Uint8Array[],
  options: LocateKeysOptions,
): Promise<Located[]> {
  const { nodes, version, maxNodeBytes, runner = cooperativeRunner } = options;
  if (options.stop) options.stop.throwIfStopped();
  else options.signal?.throwIfAborted();
  const found: Located[] = keys.map(() => ABSENT);
  if (!version.root) return found;
  let steps: Step[] = [
    {
      ref: version.root,
      height: version.rootHeight,
      least: new Uint8Array(0),
      keys: [...keys.keys()],
      matched: 0,
    },
  ];
  // Each level is lower than the one before it, so this ends.
  while (steps.length > 0) {
    const next: Step[] = [];
    await nodes.readNodes(steps, maxNodeBytes, options, (k, node, error) => {
      const { keys: wanted, matched } = steps[k];
      if (!node) for (const key of wanted) found[key] = { error };
      else if (node.values)
        for (const key of wanted) found[key] = { value: findValue(node, keys[key], matched) };
      else descend(node, keys, steps[k], next);
    });
    if (runner.isDue()) await runner.pause();
    steps = next;
  }
  return found;
}

/** Adds the children of a node that may hold its keys. */
function descend(node: BtreeNode, keys: readonly Uint8Array[], step: Step, next: Step[]): void {
  const byChild = new Map<number, { keys: number[]; matched: number }>();
  for (const key of step.keys) {
    const child = findChild(node, keys[key], step.matched);
    if (!child) continue;
    const known = byChild.get(child.index);
    if (known) known.keys.push(key);
    else byChild.set(child.index, { keys: [key], matched: child.matched });
  }
  for (const [index, wanted] of byChild)
    next.push({ ...childAt(node, index), height: step.height - 1, ...wanted });
}
