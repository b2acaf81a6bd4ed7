/**
 * What became of the roots of a table by a moment: those that still are roots cost one question together, and only what was replaced is put
 * to a vote of its parts.
 */
import type { Suggestion } from '../chunkedgraph/api/successors.ts';
import { GraphError } from '../base/errors.ts';
import type { Row } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { emptyStats } from './stats.ts';
import { requestInParts } from '../failures/request-in-parts.ts';
import { findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import { findCurrentRoots, type IsLatest } from './current-roots.ts';

/** What the job needs of a graphene volume. */
export interface LatestVolume {
  now(): Date;
  isLatest: IsLatest;
  /** One an ID. */
  suggest(roots: BigUint64Array, timestamp: Date, signal?: AbortSignal): Promise<readonly Suggestion[]>;
}

export interface LatestJob {
  /** @default the volume's now, taken once, for the first batch */
  timestamp?: Date;
  /** Columns of the roots. @default the one that `idColumnIn` finds */
  columns?: readonly string[];
}

export interface LatestLookup extends IdLookup {
  readonly timestamp: Date | undefined;
  /** Rows so far whose root is no root at the moment. */
  readonly changed: number;
}

/** Roots voted about together, and votes at once: all their parts are in memory then. */
const ROOTS_AT_ONCE = 50,
  VOTES_AT_ONCE = 2;

const { ok, background, noRoot, rootFailed } = PointStatus;

export function createLatestLookup(volume: LatestVolume, { timestamp, columns }: LatestJob): LatestLookup {
  let instant = timestamp;
  let changed = 0;
  return {
    idsPerLookup: 1,
    listName: columns?.[0] ?? 'root_id',
    get timestamp() {
      return instant;
    },
    get changed() {
      return changed;
    },
    columns(found) {
      const asked = findIdColumns(found, 'root_id', columns);
      // What `lookup` wrote has a status already: that of the look-up.
      const outputs = asked.flatMap(({ prefix }) => {
        const names = ['latest_root_id', 'confidence', 'changed'].map((output) => prefix + output);
        return [
          ...names,
          chooseStatusColumn(
            found,
            prefix,
            'latest_status',
            (status) => found.includes(names[0]) || !found.includes(status),
          ),
        ];
      });
      return { ids: asked.map(({ name }) => name), outputs };
    },
    async lookUp({ ids: [asked] }, signal) {
      instant ??= volume.now();
      const fates = await fatesOf(asked, volume, instant, signal);
      const { places } = fates,
        count = asked.length;
      const latest = new BigUint64Array(count),
        confidence = new Float64Array(count).fill(NaN),
        moved = new Uint8Array(count),
        status = new Uint8Array(count);
      for (let row = 0; row < count; row++) {
        const place = places[row];
        status[row] = fates.status[place];
        latest[row] = fates.latest[place];
        confidence[row] = fates.confidence[place];
        moved[row] = fates.changed[place];
        if (moved[row] === YES) changed++;
      }
      return {
        columns: [
          idAnswerColumn(latest),
          { values: confidence, stride: 1, offset: 0, zeroMeansMissing: false, decimals: 6 },
          { values: moved, stride: 1, offset: 0, zeroMeansMissing: false, words: ['false', 'true'] },
        ],
        status,
        stats: { ...emptyStats(), points: count },
        *errors(): Iterable<Row> {
          for (const [index, code] of status.entries())
            if (code === rootFailed)
              yield { index, status: statusText(code), error: fates.errors.get(places[index]) };
        },
      };
    },
  };
}

const NO = 0,
  YES = 1,
  UNKNOWN = 2;

interface Fates {
  /** Of each row, where its fate is in the arrays below. */
  places: Uint32Array;
  latest: BigUint64Array;
  confidence: Float64Array;
  changed: Uint8Array;
  status: Uint8Array;
  errors: Map<number, Error>;
}

async function fatesOf(
  column: BigUint64Array,
  volume: LatestVolume,
  instant: Date,
  signal: AbortSignal | undefined,
): Promise<Fates> {
  const {
    roots,
    indices: places,
    isCurrent: stands,
    errors,
  } = await findCurrentRoots(column, volume.isLatest, instant, signal);
  const latest = new BigUint64Array(roots.length),
    confidence = new Float64Array(roots.length).fill(NaN);
  const changed = new Uint8Array(roots.length).fill(UNKNOWN),
    status = new Uint8Array(roots.length).fill(rootFailed);
  const become = (place: number, root: bigint, share: number, moved: number): void => {
    latest[place] = root;
    confidence[place] = share;
    changed[place] = moved;
    status[place] = ok;
  };
  const expired: number[] = [];
  for (let place = 0; place < roots.length; place++) {
    if (stands[place]) become(place, roots[place], 1, NO);
    else if (roots[place] === 0n) status[place] = background;
    else if (!errors.has(place)) expired.push(place);
  }
  const ask = (part: number[]): Promise<readonly Suggestion[]> =>
    volume.suggest(
      BigUint64Array.from(part, (place) => roots[place]),
      instant,
      signal,
    );
  for await (const { ids, answers, error } of requestInParts(expired, ask, {
    maxIds: ROOTS_AT_ONCE,
    concurrency: VOTES_AT_ONCE,
    signal,
  }))
    ids.forEach((place, k) => {
      const best = answers?.[k].suggestions[0];
      if (best) become(place, best.root, best.confidence, YES);
      else if (!error || (error instanceof GraphError && error.code === 'UNKNOWN_ID')) status[place] = noRoot;
      else errors.set(place, error);
    });
  return { places, latest, confidence, changed, status, errors };
}
