/** Mutated structures of the databases that TensorStore wrote, most of them with a checksum that fits again. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DecodeError, LookupError } from '../../lib/base/errors.ts';
import { unwrapStructure } from '../../lib/ocdbt/decode-structure.ts';
import {
  childAt,
  decodeBtreeNode,
  findChild,
  findValue,
  type BtreeNode,
} from '../../lib/ocdbt/format/btree-node.ts';
import type { StructureKind } from '../../lib/ocdbt/format/envelope.ts';
import { decodeManifest } from '../../lib/ocdbt/format/manifest.ts';
import { decodeVersionNode } from '../../lib/ocdbt/format/version-tree.ts';
import { openOcdbt } from '../../lib/ocdbt/open-ocdbt.ts';
import type { Store } from '../../lib/storage/store.ts';
import { expectedDatabase, filesOf } from '../../testing/ocdbt-fixtures.ts';
import { seeded } from '../../testing/random.ts';
import { findStructures, fixChecksum, sealStructure } from '../support/ocdbt-structures.ts';
import { rounds } from '../support/rounds.ts';

const MAX_BYTES = 2 ** 20;
const EXTREMES = [0, 1, 0x7f, 0x80, 0xfe, 0xff];

type Random = (below: number) => number;
function intsFrom(seed: number): Random {
  const random = seeded(seed);
  return (below) => random.below(below);
}

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let copy = Uint8Array.from(bytes);
  for (let edits = 1 + random(3); edits > 0 && copy.length > 0; edits--) {
    // The numbers are at the beginning; what follows is keys and values.
    const at = random(random(2) === 0 ? copy.length : Math.min(copy.length, 40)),
      kind = random(8);
    if (kind === 0) copy = copy.slice(0, at);
    else if (kind === 1) copy = Uint8Array.of(...copy.subarray(0, at), ...copy.subarray(at + 1 + random(4)));
    else if (kind === 2)
      copy = Uint8Array.of(...copy.subarray(0, at), ...numberOf(random), ...copy.subarray(at + random(2)));
    else if (kind === 3) copy.copyWithin(at, random(copy.length), random(copy.length));
    else if (kind === 4) copy.fill(EXTREMES[random(6)], at, at + 1 + random(12));
    else if (kind === 5) copy[at] = random(256);
    else copy[at] ^= 1 << random(8);
  }
  return copy;
}

/** A varint of 1 to 11 bytes. */
const numberOf = (random: Random): number[] => [
  ...Array.from({ length: random(11) }, () => 0x80 | EXTREMES[random(6)] | random(128)),
  random(128),
];

interface Sample {
  kind: StructureKind;
  content: Uint8Array;
  basePath: string;
}

const samples: Sample[] = [];
beforeAll(async () => {
  for (const folder of ['deep', 'plain', 'numbered', 'parts', 'volume'])
    for (const [path, file] of filesOf(folder))
      for (const { kind, start, end } of findStructures(file))
        samples.push({
          kind,
          content: Uint8Array.from(await unwrapStructure(file.subarray(start, end), kind, MAX_BYTES)),
          basePath: path.includes('/inner/') ? 'inner/' : '',
        });
});

const isRef = ({ offset, length }: { offset: number; length: number }): boolean =>
  offset >= 0 && length >= 0 && Number.isSafeInteger(offset + length);

/** Checks that every key of a node is found at its own place. */
function checkNode(node: BtreeNode): void {
  const { bytes, starts } = node.keys;
  for (let k = 0; k < starts.length - 1; k++) {
    const key = bytes.subarray(starts[k], starts[k + 1]);
    if (node.values) {
      const value = findValue(node, key, 0)!;
      if (!(value instanceof Uint8Array) && !isRef(value)) throw new Error(`value ${k} is nowhere`);
    } else {
      const child = findChild(node, key, 0)!;
      if (child.index !== k || !isRef(childAt(node, k).ref)) throw new Error(`child ${k} is nowhere`);
    }
  }
}

const DECODERS: Record<StructureKind, (content: Uint8Array, basePath: string) => void> = {
  manifest(content) {
    const { versions, nodes } = decodeManifest(content);
    expect(versions.every(({ root }) => !root || isRef(root))).toBe(true);
    expect(nodes.every(({ location }) => isRef(location))).toBe(true);
  },
  'version node': (content, basePath) => void decodeVersionNode(content, basePath),
  'B+tree node': (content, basePath) => checkNode(decodeBtreeNode(content, basePath, MAX_BYTES)),
};

describe('mutated structures', () => {
  test('the samples have all kinds', () => {
    const kinds = samples.map(({ kind }) => kind);
    for (const kind of Object.keys(DECODERS) as StructureKind[])
      expect(kinds.filter((other) => other === kind).length).toBeGreaterThan(5);
  });

  test('decode to something consistent, or to a DecodeError', async () => {
    const random = intsFrom(19),
      outcomes = { decoded: 0, refused: 0 },
      count = rounds(3500);
    for (let round = 0; round < count; round++) {
      const { kind, content, basePath } = samples[random(samples.length)],
        sealed = sealStructure(kind, mutate(content, random));
      try {
        DECODERS[kind](await unwrapStructure(sealed, kind, MAX_BYTES), basePath);
        outcomes.decoded++;
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        outcomes.refused++;
      }
    }
    expect(outcomes.decoded + outcomes.refused).toBe(count);
    expect(Math.min(outcomes.decoded, outcomes.refused)).toBeGreaterThan(count / 20);
  });

  test('without a new checksum, are never decoded', async () => {
    const random = intsFrom(20);
    for (let round = rounds(400); round > 0; round--) {
      const { kind, content } = samples[random(samples.length)],
        sealed = sealStructure(kind, content);
      sealed[random(sealed.length)] ^= 1 << random(8);
      await expect(unwrapStructure(sealed, kind, MAX_BYTES)).rejects.toThrow(DecodeError);
    }
  });

  test('in zstd, decompress to something or to a DecodeError', async () => {
    const random = intsFrom(21),
      packed = [...filesOf('deep').values()].flatMap((file) =>
        findStructures(file).map(({ kind, start, end }) => ({
          kind,
          content: file.slice(start + 14, end - 4),
        })),
      );
    for (let round = rounds(300); round > 0; round--) {
      const { kind, content } = packed[random(packed.length)],
        sealed = sealStructure(kind, mutate(content, random), 1);
      try {
        DECODERS[kind](await unwrapStructure(sealed, kind, MAX_BYTES), '');
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
  });

  test('within a database, give values or typed errors, with few reads', async () => {
    const random = intsFrom(22),
      files = [...filesOf('plain')].map(([path, bytes]) => ({ key: path.slice('plain/'.length), bytes })),
      places = files.flatMap((file) => findStructures(file.bytes).map((place) => ({ ...place, file })));
    const values = Object.entries(expectedDatabase('plain').latest);
    let right = 0,
      refused = 0;
    for (let round = rounds(120); round > 0; round--) {
      const { file, start, end } = places[random(places.length)],
        changed = Uint8Array.from(file.bytes);
      for (let edits = 1 + random(2); edits > 0; edits--)
        changed[start + 14 + random(end - start - 18)] = random(2) === 0 ? random(256) : EXTREMES[random(6)];
      fixChecksum(changed.subarray(start, end));
      let reads = 0;
      const store: Store = {
        url: 'own://plain',
        read: (key, { range } = {}) => {
          reads++;
          const bytes = key === file.key ? changed : files.find((other) => other.key === key)?.bytes;
          return Promise.resolve(
            bytes && { bytes: bytes.slice(range?.start, range?.end), contentEncoding: undefined, range },
          );
        },
      };
      try {
        const opened = await openOcdbt(store);
        const found = await opened.locate(
          values.map(([key]) => key),
          {},
        );
        for (const located of found) if (!('value' in located)) throw located.error;
        const [key, value] = values[random(values.length)],
          object = await opened.read(key);
        if (object && Buffer.from(object.bytes).toString('base64') === value) right++;
      } catch (error) {
        if (!(error instanceof LookupError)) throw error;
        refused++;
      }
      expect(reads).toBeLessThan(100);
    }
    expect(Math.min(right, refused)).toBeGreaterThan(rounds(120) / 10);
  });
});
