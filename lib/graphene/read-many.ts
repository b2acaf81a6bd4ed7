/**
 * `readMany`: several volumes at the same points. The volumes are read side by side, each with its own
 * connections, caches and limits.
 */
import { inStretches, cooperativeRunner, type PausableWork } from '../base/cooperative-work.ts';
import { PartialResultError } from '../base/errors.ts';
import { parseOptions } from '../base/option-table.ts';
import type { Vec3 } from '../base/vec3.ts';
import { formatVec3 } from '../base/vec3.ts';
import { ProgressReporter } from '../points/progress-reporter.ts';
import { toPointSource, type PointInput, type PointSource } from '../points/point-input.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { DATA_TYPES } from '../precomputed/data-type.ts';
import { finestResolution } from '../precomputed/volume-info.ts';
import { emptyStats } from '../points/result.ts';
import { buildResult } from './build-result.ts';
import { isGrapheneVolume } from './graph-volumes.ts';
import type { GrapheneVolume } from './graphene-volume.ts';
import type { ManyResult, ManyRow, NamedVolume, ReadManyOptions, VolumeAnswer } from './many-types.ts';
import type { ScatteredPointsOptions } from './option-types.ts';
import { partsOf, PrecomputedVolume } from './precomputed-volume.ts';
import { MANY_OPTIONS, NAMED_GRAPHENE_OPTIONS, NAMED_PRECOMPUTED_OPTIONS } from './many-options.ts';
import { resolveResolution } from './resolution.ts';
import { reasonNotVolumeName } from './volume-name.ts';

/** A volume of the call, checked. */
interface Entry {
  name: string;
  volume: PrecomputedVolume | GrapheneVolume;
  options: ScatteredPointsOptions;
}

/** What came of one volume. */
interface Outcome {
  answer: VolumeAnswer;
  causes: ReadonlyMap<string, Error>;
}

/**
 * Reads several volumes at the same points, each at its own resolution. N points give N answers of each volume,
 * in the same order. A failure of one volume leaves the others as they are. Entries with the same volume and
 * the same options share one result; entries with the same volume share the chunks in flight.
 *
 * @param entries The volumes and their names. Options of an entry hold for its volume only.
 * @param points As for `scatteredPoints`. They are copied once, before the call returns, unless `borrow` is
 *   true. Their unit is `resolution`, or that of all volumes if they have the same.
 * @throws PartialResultError when a volume failed, in part or as a whole, unless `onError` is `'status'`: its
 *   `result` holds all answers, and its `causes` start with the name of the volume. TypeError or RangeError for
 *   names, points or options that cannot be used, and if the unit of the points is not clear; `signal.reason`.
 * @example
 * const { volumes } = await readMany([{ name: 'em', volume: em, interpolate: 'linear' }, { name: 'seg', volume: seg }],
 *   points, { resolution: [4, 4, 40] });
 * console.log(volumes.em.values, volumes.seg.rootIds);
 */
export async function readMany<const Entries extends readonly NamedVolume[]>(
  entries: Entries,
  points: PointInput,
  options: ReadManyOptions = {},
): Promise<ManyResult<Entries>> {
  const own = parseOptions(options, MANY_OPTIONS),
    checked = checkEntries(entries, own),
    source = toPointSource(points, own),
    resolution = unitOf(checked, own.resolution);
  const progress = new ProgressReporter(own.onProgress);
  const calls = new Map<string, Promise<Outcome>>(),
    ordinals = new Map<object, number>();
  const reading = checked.map(async ({ name, volume, options: ofVolume }): Promise<[string, Outcome]> => {
    if (!ordinals.has(volume)) ordinals.set(volume, ordinals.size);
    const key = JSON.stringify([ordinals.get(volume), Object.entries(ofVolume).sort()]);
    let call = calls.get(key);
    if (!call) {
      call = readOne(volume, source, {
        ...ofVolume,
        resolution,
        signal: own.signal,
        timeoutMs: own.timeoutMs,
        onProgress: own.onProgress && ((done) => progress.report({ name, ...done })),
      });
      calls.set(key, call);
    }
    return [name, await call];
  });
  const outcomes = await Promise.all(reading);
  progress.throwIfFailed();
  const result = await buildManyResult(outcomes, source.count);
  if (own.onError !== 'status') throwIfAnyFailed(outcomes, result);
  return result;
}

/** Checks the volumes, their names and their options. @throws TypeError or RangeError. */
function checkEntries(entries: readonly NamedVolume[], { interpolate }: ReadManyOptions): Entry[] {
  if (!Array.isArray(entries) || entries.length === 0)
    throw new TypeError('readMany needs a list of volumes: [{ name, volume }, …]');
  const names = new Set<string>();
  return (entries as readonly NamedVolume[]).map((entry, index) => {
    if (typeof entry !== 'object' || entry === null)
      throw new TypeError(`the volume at index ${index} is not { name, volume }`);
    const { name, volume, ...rest } = entry;
    const reason = typeof name === 'string' ? reasonNotVolumeName(name) : 'its name is not a text';
    if (reason !== undefined) throw new TypeError(`the volume at index ${index}: ${reason}`);
    if (names.has(name)) throw new TypeError(`two volumes have the name ${name}`);
    names.add(name);
    if (volume instanceof PrecomputedVolume)
      return {
        name,
        volume,
        options: { ...(interpolate && { interpolate }), ...parseOptions(rest, NAMED_PRECOMPUTED_OPTIONS) },
      };
    if (isGrapheneVolume(volume))
      return {
        name,
        volume,
        options: { ...(interpolate && { interpolate }), ...parseOptions(rest, NAMED_GRAPHENE_OPTIONS) },
      };
    throw new TypeError(`${name} is not an open volume of openPrecomputed or openGraphene`);
  });
}

/** Returns the nanometres of one unit of the points. @throws TypeError if the volumes do not agree. */
function unitOf(entries: readonly Entry[], given: ReadManyOptions['resolution']): Vec3 {
  if (given !== undefined && given !== 'viewer') return given as unknown as Vec3;
  const withViewer = entries.filter(({ volume }) => isGrapheneVolume(volume) && volume.datastack);
  const units = (given === undefined || withViewer.length === 0 ? entries : withViewer).map(
    ({ name, volume }) => {
      const { resolution, info } = partsOf(volume);
      return {
        name,
        unit:
          given === 'viewer'
            ? resolveResolution(given, isGrapheneVolume(volume) ? volume.datastack : undefined)!
            : (resolution ?? finestResolution(info.scales)),
      };
    },
  );
  const [first] = units,
    other = units.find(({ unit }) => unit.some((nm, axis) => nm !== first.unit[axis]));
  if (other)
    throw new TypeError(
      `the unit of the points is not clear: ${first.name} has ${formatVec3(first.unit)} nm and ${other.name} ${formatVec3(other.unit)} nm; give resolution as three numbers`,
    );
  return first.unit;
}

/** Reads one volume. @throws signal.reason. */
async function readOne(
  volume: PrecomputedVolume | GrapheneVolume,
  source: PointSource,
  options: ScatteredPointsOptions,
): Promise<Outcome> {
  const points = source as unknown as PointInput; // volumes take it as it is
  try {
    const answer = isGrapheneVolume(volume)
      ? await volume.scatteredPoints(points, options)
      : await volume.scatteredPoints(points, options as never);
    return { answer, causes: new Map() };
  } catch (error) {
    if (error instanceof PartialResultError)
      return { answer: error.result as unknown as VolumeAnswer, causes: error.causes };
    options.signal?.throwIfAborted();
    return {
      answer: failedAnswer(volume, options, source.count, error as Error),
      causes: new Map([['', error as Error]]),
    };
  }
}

/** Builds the answer of a volume that failed as a whole. */
function failedAnswer(
  volume: PrecomputedVolume | GrapheneVolume,
  { interpolate, agglomerate }: ScatteredPointsOptions,
  count: number,
  error: Error,
): VolumeAnswer {
  const parts = {
    status: new Uint8Array(count).fill(PointStatus.failed),
    stats: { ...emptyStats(), points: count },
    errorOf: () => error,
  };
  if (volume instanceof PrecomputedVolume) {
    const { numChannels, dataType } = volume;
    const values = new (interpolate === 'linear' ? Float64Array : DATA_TYPES[dataType])(count * numChannels);
    const rowOf = (index: number): { values: (number | bigint)[] } => ({
      values: [...values.subarray(index * numChannels, (index + 1) * numChannels)],
    });
    return { ...buildResult(parts, { values }, rowOf), error };
  }
  const supervoxelIds = new BigUint64Array(count);
  if (agglomerate === false)
    return { ...buildResult(parts, { supervoxelIds }, () => ({ supervoxelId: 0n })), error };
  const columns = {
    supervoxelIds,
    rootIds: new BigUint64Array(count),
    timestamp: new Date(NaN),
    settled: false,
  };
  return { ...buildResult(parts, columns, () => ({ supervoxelId: 0n, rootId: 0n })), error };
}

async function buildManyResult(
  outcomes: readonly (readonly [string, Outcome])[],
  count: number,
): Promise<ManyResult> {
  const answers = outcomes.map(([name, { answer }]): [string, VolumeAnswer] => [name, answer]);
  const status = new Uint8Array(count).fill(PointStatus.ok);
  for (const [, answer] of answers) await cooperativeRunner.run(mergeStatus(status, answer.status));
  return {
    volumes: Object.fromEntries(answers) as ManyResult['volumes'],
    status,
    *rows() {
      const rows = answers.map(([name, answer]) => [name, answer.rows()] as const);
      for (let index = 0; index < count; index++) {
        const volumes = Object.fromEntries(
          rows.map(([name, next]) => [name, next.next().value as ManyRow['volumes'][0]]),
        );
        yield {
          index,
          status: statusText(status[index]),
          error: Object.values(volumes).find(({ error }) => error)?.error,
          volumes,
        };
      }
    },
  };
}

const SEVERITY = [PointStatus.ok, undefined, PointStatus.rootFailed, PointStatus.failed] as const;

/** Keeps the first status that is not `ok`, and a failure before all others. */
function* mergeStatus(status: Uint8Array, added: Uint8Array): PausableWork {
  const severity = new Uint8Array(256).fill(1);
  for (const [rank, code] of SEVERITY.entries()) if (code !== undefined) severity[code] = rank;
  yield* inStretches(status.length, (from, end) => {
    for (let i = from; i < end; i++) if (severity[added[i]] > severity[status[i]]) status[i] = added[i];
  });
}

/** @throws PartialResultError if a volume failed, in part or as a whole. */
function throwIfAnyFailed(outcomes: readonly (readonly [string, Outcome])[], result: ManyResult): void {
  const causes = new Map<string, Error>();
  for (const [name, { causes: own }] of outcomes)
    for (const [key, error] of own) causes.set(key === '' ? name : `${name}: ${key}`, error);
  if (causes.size === 0) return;
  const failed = outcomes.filter(([, { causes: own }]) => own.size > 0).map(([name]) => name);
  const [[, first]] = causes;
  throw new PartialResultError(
    `${failed.length} of ${outcomes.length} volumes failed, in part or as a whole: ${failed.join(', ')}; the rest is in error.result. First: ${first.message}`,
    result,
    causes,
  );
}
