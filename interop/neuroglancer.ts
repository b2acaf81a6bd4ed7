/**
 * Neuroglancer states. The real Neuroglancer loads the states that we write: it must show our layers, selected
 * segments, points and colours, and at each point the segment that we looked up. And what it writes, after
 * annotations were added in layers with all kinds of transforms, must be read by us at the places where it draws.
 */
import { openPrecomputed } from '../lib/graphene/open-and-resolve.ts';
import { linkOfState } from '../lib/neuroglancer/state-link.ts';
import { stateOfAnswers, type StateAnswers } from '../lib/neuroglancer/state-of-answers.ts';
import { pointsOfState } from '../lib/neuroglancer/state-points.ts';
import { readStateText } from '../lib/neuroglancer/state-text.ts';
import { statusColor } from '../lib/neuroglancer/state-colors.ts';
import { createMockBucket } from '../mocks/bucket.ts';
import { serveMocks } from '../mocks/loopback.ts';
import { buildPrecomputed } from '../mocks/volume/precomputed.ts';
import { seeded } from '../testing/random.ts';
import { openWebglBrowser } from './webgl-browser.ts';
import type { Comparison } from './comparison.ts';
import { foreignStates, randomState } from './neuroglancer-states.ts';
import { type ShownAnnotation, type ShownState, ViewerPage } from './neuroglancer-viewer.ts';
import type { Part } from './part.ts';

const FIRST_ROOT = 648518346349538689n,
  SIZE = [128, 96, 32] as const,
  RANDOM_STATES = 16;
type Vec3 = readonly [number, number, number];

export const neuroglancer: Part = async ({ python, comparison }) => {
  await using browser = await openWebglBrowser();
  await using viewer = await ViewerPage.open(browser, python);
  for (const resolution of [
    [8, 8, 40],
    [3.3, 3.7, 33],
  ] as const)
    await compareOurStates(viewer, comparison, resolution);
  await compareTheirStates(viewer, comparison);
  comparison.same('problems of the page', [], viewer.problems);
};

/** States of answers, in a viewer. */
async function compareOurStates(viewer: ViewerPage, comparison: Comparison, resolution: Vec3): Promise<void> {
  const built = buildPrecomputed({
    size: SIZE,
    resolution,
    labels: (x, y, z) => (x < 10 ? 0n : FIRST_ROOT + BigInt((x >> 4) + 8 * (y >> 4) + 64 * (z >> 3))),
  });
  await using served = await serveMocks({ '/bucket': createMockBucket({ files: built.files }) });
  const path = `${served.url}/bucket`,
    volume = await openPrecomputed(path);
  let isFirst = true;
  try {
    for (const unit of [
      [1, 1, 1],
      [2 * resolution[0], resolution[1], resolution[2] / 4],
    ] as Vec3[]) {
      const answers = await lookUpSome(volume, resolution, unit);
      for (const colorBy of ['root', 'status'] as const) {
        const what = `${resolution.join('x')}, points in ${unit.join('x')}, by ${colorBy}`,
          options = { source: `precomputed://${path}`, voxelSize: resolution, colorBy },
          { state } = stateOfAnswers(answers, options);
        const link = linkOfState(state, viewer.site)!;
        const shown = isFirst ? await viewer.open(link, 2) : await viewer.show(readStateText(link).state!);
        isFirst = false;
        compareShown(what, shown, state, answers, colorBy, comparison);
      }
      await compareSegments(
        `${resolution.join('x')}, points in ${unit.join('x')}`,
        viewer,
        answers,
        resolution,
        comparison,
      );
    }
  } finally {
    await volume.close();
  }
}

async function lookUpSome(
  volume: Awaited<ReturnType<typeof openPrecomputed>>,
  resolution: Vec3,
  unit: Vec3,
): Promise<StateAnswers> {
  const random = seeded(7),
    points = new Float64Array(3 * 40);
  for (let k = 0; k < points.length; k++) {
    const axis = k % 3,
      voxel = random.below(SIZE[axis]) + random.below(4) / 4;
    points[k] = (voxel * resolution[axis]) / unit[axis];
  }
  points.set([-5, 1, 1, NaN, 1, 1], 6);
  const { values, status } = await volume.scatteredPoints(points, { resolution: unit, onError: 'status' });
  return { points, resolution: unit, status, ids: values as BigUint64Array };
}

interface StateJson {
  layers: { name: string; segments?: string[]; segmentColors?: Record<string, string> }[];
}

function compareShown(
  what: string,
  { json, layers, errors }: ShownState,
  state: Record<string, unknown>,
  { points, resolution, status, ids }: StateAnswers,
  colorBy: 'root' | 'status',
  comparison: Comparison,
): void {
  comparison.same(`${what}: errors`, errors, []);
  const [segmentation] = (state as unknown as StateJson).layers,
    [shownSegmentation, shownPoints] = layers;
  comparison.same(
    `${what}: layers`,
    layers.map(({ name, type }) => [name, type]),
    [
      ['segmentation', 'segmentation'],
      ['points', 'annotation'],
    ],
  );
  comparison.same(
    `${what}: selected`,
    [...shownSegmentation.segments!].sort(),
    [...segmentation.segments!].sort(),
  );
  const [theirs] = (json as unknown as StateJson).layers;
  comparison.same(
    `${what}: colours of segments`,
    Object.entries(theirs.segmentColors ?? {}).sort(),
    Object.entries(segmentation.segmentColors ?? {}).sort(),
  );
  const placed = Array.from(status.keys()).filter((k) => Number.isFinite(points[3 * k]));
  comparison.same(
    `${what}: annotations`,
    shownPoints.annotations!.map(({ id, segments, props }) => [id, segments ?? [], props]),
    placed.map((k) => {
      const id = String(ids[k]),
        color = segmentation.segmentColors?.[id] ?? '#808080';
      return [
        String(k),
        ids[k] === 0n ? [] : [[id]],
        [colorBy === 'status' ? statusColor(status[k]) : color, status[k]],
      ];
    }),
  );
  comparePlaces(
    what,
    shownPoints.annotations!,
    placed.map((k) => [[0, 1, 2].map((axis) => points[3 * k + axis] * resolution[axis])]),
    comparison,
  );
}

/** Compares places in nanometres. The viewer computes in float32. */
function comparePlaces(
  what: string,
  theirs: readonly ShownAnnotation[],
  ours: readonly (readonly (readonly number[])[])[],
  comparison: Comparison,
): void {
  const isNear = (a: number, b: number, scale: number): boolean => Math.abs(a - b) <= 2e-6 * scale;
  comparison.same(`${what}: number of annotations`, theirs.length, ours.length);
  for (const [k, { id, places }] of theirs.entries()) {
    const scale = Math.max(1, ...places.flat().map(Math.abs));
    const near =
      places.length === ours[k].length &&
      places.every((place, n) => place.every((value, axis) => isNear(value, ours[k][n][axis], scale)));
    comparison.same(`${what}: place of ${id}`, near ? ours[k] : places, ours[k]);
  }
}

/** The segment that the viewer shows at a point is the one that we looked up. */
async function compareSegments(
  what: string,
  viewer: ViewerPage,
  { points, resolution: unit, status, ids }: StateAnswers,
  resolution: Vec3,
  comparison: Comparison,
): Promise<void> {
  for (let k = 4; k < status.length; k += 9) {
    const place = [0, 1, 2].map((axis) =>
      Math.fround((points[3 * k + axis] * unit[axis]) / resolution[axis]),
    );
    comparison.same(
      `${what}: segment at point ${k}`,
      await viewer.segmentAt('segmentation', place),
      String(ids[k]),
    );
  }
}

/** States that Neuroglancer writes, and old ones that it reads. */
async function compareTheirStates(viewer: ViewerPage, comparison: Comparison): Promise<void> {
  const random = seeded(11);
  for (let k = 0; k < RANDOM_STATES; k++) {
    const shown = await viewer.show(randomState(random));
    comparison.same(`random state ${k}: errors`, shown.errors, []);
    compareRead(`random state ${k}`, shown.json, shown, comparison);
  }
  for (const [name, state] of foreignStates()) {
    const shown = await viewer.show(state);
    comparison.same(`${name}: errors`, shown.errors, []);
    compareRead(name, state, shown, comparison);
    compareRead(`${name}, written again`, shown.json, shown, comparison);
  }
}

/** Reads a state, and compares the places with those in the viewer. */
function compareRead(what: string, state: object, { layers }: ShownState, comparison: Comparison): void {
  const read = pointsOfState(JSON.stringify(state), { resolution: [1, 1, 1] });
  const annotated = layers.filter(({ annotations }) => annotations);
  const theirs = annotated.flatMap(({ name, annotations }) =>
    annotations!.map((one) => ({ ...one, layer: name })),
  );
  const ours: {
    layer: string;
    id: string;
    places: number[][];
    description?: string;
    segments: readonly string[];
  }[] = [];
  for (const [k, id] of read.annotation.entries()) {
    const last = ours.at(-1),
      place = Array.from(read.points.subarray(3 * k, 3 * k + 3));
    if (last?.id === id && last.layer === read.layer[k]) last.places.push(place);
    else
      ours.push({
        layer: read.layer[k],
        id,
        places: [place],
        description: read.description[k],
        segments: read.segments[k],
      });
  }
  comparison.same(
    `${what}: annotations`,
    theirs.map(({ layer, id, description, segments }) => [layer, id, description, segments?.flat() ?? []]),
    ours.map(({ layer, id, description, segments }) => [layer, id, description, segments]),
  );
  comparePlaces(
    what,
    // The centre of a box is halfway between its corners, also where they are drawn.
    theirs.map((one) =>
      one.type === 'axis_aligned_bounding_box' ? { ...one, places: [middle(one.places)] } : one,
    ),
    ours.map(({ places }) => places),
    comparison,
  );
}

const middle = ([a, b]: readonly (readonly number[])[]): number[] =>
  a.map((value, axis) => (value + b[axis]) / 2);
