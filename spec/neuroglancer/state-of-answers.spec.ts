import { describe, expect, test } from '@jest/globals';
import { frequentIds } from '../../lib/neuroglancer/frequent-ids.ts';
import { idColor } from '../../lib/neuroglancer/state-colors.ts';
import { linkOfState, linkToStoredState, MAX_LINK_LENGTH } from '../../lib/neuroglancer/state-link.ts';
import { type StateAnswers, stateOfAnswers } from '../../lib/neuroglancer/state-of-answers.ts';
import { pointsOfState } from '../../lib/neuroglancer/state-points.ts';
import { readStateText } from '../../lib/neuroglancer/state-text.ts';
import { viewerSource } from '../../lib/neuroglancer/viewer-source.ts';
import { PointStatus } from '../../lib/points/status.ts';

const ROOT = 648518346349538689n;
const ANSWERS: StateAnswers = {
  points: Float64Array.of(16, 8, 3, 20, 8.5, 3, NaN, 0, 0, 7, 7, 7),
  resolution: [4, 4, 40],
  status: Uint8Array.of(PointStatus.ok, PointStatus.ok, PointStatus.invalidPoint, PointStatus.noRoot),
  ids: BigUint64Array.of(ROOT, ROOT + 1n, 0n, 0n),
};
interface Layer {
  type: string;
  name: string;
  segments: string[];
  segmentColors: Record<string, string>;
  annotations: {
    id: string;
    point: number[];
    props: [string, number];
    segments?: string[][];
    description?: string;
  }[];
}
const layersOf = ({ state }: { state: Record<string, unknown> }): Layer[] => state.layers as Layer[];

describe('stateOfAnswers', () => {
  test('shows the points in voxels of the volume, linked to their IDs', () => {
    const made = stateOfAnswers(ANSWERS, { source: 'precomputed://gs://b/v', voxelSize: [8, 8, 40] });
    expect(made.state.dimensions).toEqual({ x: [8e-9, 'm'], y: [8e-9, 'm'], z: [4e-8, 'm'] });
    expect(made.state.position).toEqual([8, 4, 3]);
    const [segmentation, points] = layersOf(made);
    expect(segmentation).toMatchObject({ type: 'segmentation', source: 'precomputed://gs://b/v' });
    expect(segmentation.segments).toEqual([String(ROOT), String(ROOT + 1n)]);
    expect(points.annotations.map(({ id, point }) => [id, point])).toEqual([
      ['0', [8, 4, 3]],
      ['1', [10, 4.25, 3]],
      ['3', [3.5, 3.5, 7]],
    ]);
    expect(points.annotations.map(({ segments }) => segments)).toEqual([
      [[String(ROOT)]],
      [[String(ROOT + 1n)]],
      undefined,
    ]);
    expect(points.annotations.map(({ description }) => description)).toEqual([
      undefined,
      undefined,
      'no_root',
    ]);
    expect(made.points).toEqual({ shown: 3, of: 3, withoutPlace: 1 });
    expect(made.selected).toEqual({ shown: 2, of: 2 });
  });

  test('gives a point the colour of its segment, or of its status', () => {
    const [segmentation, points] = layersOf(stateOfAnswers(ANSWERS, { source: 'x' }));
    expect(points.annotations.slice(0, 2).map(({ props }) => props[0])).toEqual(
      Object.values(segmentation.segmentColors),
    );
    const byStatus = layersOf(stateOfAnswers(ANSWERS, { colorBy: 'status' }))[0].annotations.map(
      ({ props }) => props,
    );
    expect(byStatus[0]).toEqual(byStatus[1]);
    expect(byStatus[2][0]).not.toBe(byStatus[0][0]);
    expect(byStatus.map(([, code]) => code)).toEqual([1, 1, 7]);
  });

  test('says what it leaves out', () => {
    const count = 50,
      answers: StateAnswers = {
        points: new Float64Array(3 * count),
        resolution: [1, 1, 1],
        status: new Uint8Array(count).fill(PointStatus.ok),
        ids: BigUint64Array.from({ length: count }, (_, k) => BigInt(k % 7)),
      };
    const made = stateOfAnswers(answers, { source: 'x', maxPoints: 20, maxSelected: 2 });
    expect(made.points).toEqual({ shown: 20, of: 50, withoutPlace: 0 });
    expect(made.selected).toEqual({ shown: 2, of: 6 });
    expect(layersOf(made)[0].segments).toEqual(['1', '2']);
    expect(() => stateOfAnswers(answers, { maxPoints: -1 })).toThrow(RangeError);
    expect(() => stateOfAnswers({ ...answers, status: new Uint8Array(3) })).toThrow(RangeError);
  });

  test('makes a state that is read with the same points, also from its link', () => {
    const { state } = stateOfAnswers(ANSWERS, { source: 'precomputed://gs://b/v', voxelSize: [3.3, 8, 33] });
    const link = linkOfState(state)!;
    expect(link).toMatch(/^https:\/\/neuroglancer-demo\.appspot\.com\/#!%7B%22/);
    expect(readStateText(link)).toEqual({ state: JSON.parse(JSON.stringify(state)) as unknown });
    const { points, annotation, segments } = pointsOfState(link, { resolution: [4, 4, 40] });
    expect(annotation).toEqual(['0', '1', '3']);
    expect(segments).toEqual([[String(ROOT)], [String(ROOT + 1n)], []]);
    expect(Array.from(points, Math.fround)).toEqual([16, 8, 3, 20, 8.5, 3, 7, 7, 7]);
  });

  test('has a link only if browsers open it', () => {
    expect(linkOfState({ a: "it's (1, 2);*!" }, 'https://v.example/x')).toBe(
      'https://v.example/x#!%7B%22a%22:%22it%27s%20%281%2C%202%29%3B%2A%21%22%7D',
    );
    expect(linkOfState({ a: 'x'.repeat(MAX_LINK_LENGTH) })).toBeUndefined();
    expect(linkToStoredState('https://g.example/nglstate/api/v1/5', 'https://v.example')).toBe(
      'https://v.example/#!middleauth+https://g.example/nglstate/api/v1/5',
    );
  });
});

describe('frequentIds', () => {
  test('counts IDs of all 64 bits', () => {
    const ids = BigUint64Array.of(5n, 2n ** 64n - 1n, 5n, 0n, 0n, 0n, 2n ** 32n, 2n ** 64n - 1n, 5n, 3n);
    expect(frequentIds(ids, 3)).toEqual({
      ids: BigUint64Array.of(5n, 2n ** 64n - 1n, 3n),
      counts: [3, 2, 1],
      distinct: 4,
    });
    expect(ids[0]).toBe(5n);
  });
});

describe('the source of a viewer', () => {
  test.each([
    ['gs://bucket/seg', 'precomputed://gs://bucket/seg'],
    ['https://host/seg', 'precomputed://https://host/seg'],
    ['gs://bucket/db/|ocdbt:@v3/seg', 'gs://bucket/db/|ocdbt:@v3/seg/|neuroglancer-precomputed:'],
    ['graphene://https://host/segmentation/table/t', 'graphene://https://host/segmentation/table/t'],
    [
      'graphene://middleauth+https://host/segmentation/table/t',
      'graphene://https://host/segmentation/table/t',
    ],
    ['/data/seg', undefined],
    ['file:///data/seg', undefined],
    ['mem://x', undefined],
  ])('of %s is %s', (path, source) => {
    expect(viewerSource(path)).toBe(source);
  });

  test('asks for a log-in where the server does', () => {
    expect(viewerSource('graphene://https://host/segmentation/table/t', { needsToken: true })).toBe(
      'graphene://middleauth+https://host/segmentation/table/t',
    );
  });
});

describe('the colour of an ID', () => {
  test('is a colour, the same each time, and grey for none', () => {
    const colors = Array.from({ length: 300 }, (_, k) => idColor(k, 0x09000000));
    expect(colors.every((color) => /^#[0-9a-f]{6}$/.test(color))).toBe(true);
    expect(new Set(colors).size).toBeGreaterThan(290);
    expect(idColor(5, 6)).toBe(idColor(5, 6));
    expect(idColor(0, 0)).toBe('#808080');
  });
});
