/**
 * Looks up what became of the roots of a table at a timestamp. One request checks which roots are still
 * roots. For each replaced root, the parts vote: the root that now holds most of them wins.
 */
import type { Suggestion } from '../chunkedgraph/api/successors.ts';
import { GraphError } from '../base/errors.ts';
import { emptyStats, type Row } from '../points/result.ts';
import { PointStatus, statusText } from '../points/status.ts';
import { idAnswerColumn } from '../tables/answers.ts';
import { requestInParts } from '../failures/request-in-parts.ts';
import { findIdColumns, chooseStatusColumn } from './columns.ts';
import type { IdLookup } from './id-table.ts';
import { findCurrentRoots, type IsLatest } from './current-roots.ts';

/** The part of a graphene volume that the job needs. */
export interface LatestVolume {
  now(): Date;
  isLatest: IsLatest;
  /** Suggests current roots, one answer per ID. */
  suggest(roots: BigUint64Array, timestamp: Date, signal?: AbortSignal): Promise<readonly Suggestion[]>;
}

/** Options of `createLatestLookup`. */
export interface LatestJob {
  /** The timestamp of all roots. @default The volume's now at the first batch. */
  timestamp?: Date;
  /** The columns of the roots. @default the column that `findIdColumn` finds */
  columns?: readonly string[];
}

/** A look-up of latest roots, with what it found so far. */
export interface LatestLookup extends IdLookup {
  readonly timestamp: Date | undefined;
  /** The number of rows so far whose ID is not a root at the timestamp. */
  readonly changed: number;
}

/** The number of roots per vote, and of votes in flight. All their parts are in memory at the same time. */
const ROOTS_AT_ONCE = 50,
  VOTES_AT_ONCE = 2;

const { ok, background, noRoot, rootFailed } = PointStatus;

/** Creates the look-up of the job `latest`. Its first batch fixes the timestamp. */
export function createLatestLookup(volume: LatestVolume, { timestamp, columns }: LatestJob): LatestLookup {
  let pinned = timestamp;
  let changed = 0;
  return {
    idsPerLookup: 1,
    listName: columns?.[0] ?? 'root_id',
    get timestamp() {
      return pinned;
    },
    get changed() {
      return changed;
    },
    columns(found) {
      const idColumns = findIdColumns(found, 'root_id', columns);
      // A table that `lookup` wrote has a status column already: the status of that look-up.
      const outputs = idColumns.flatMap(({ prefix }) => {
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
      return { ids: idColumns.map(({ name }) => name), outputs };
    },
    async lookUp({ ids: [roots] }, signal) {
      pinned ??= volume.now();
      const outcomes = await findOutcomes(roots, volume, pinned, signal);
      const { indices } = outcomes,
        count = roots.length;
      const latest = new BigUint64Array(count),
        confidence = new Float64Array(count).fill(NaN),
        hasChanged = new Uint8Array(count),
        status = new Uint8Array(count);
      for (let row = 0; row < count; row++) {
        const index = indices[row];
        status[row] = outcomes.status[index];
        latest[row] = outcomes.latest[index];
        confidence[row] = outcomes.confidence[index];
        hasChanged[row] = outcomes.changed[index];
        if (hasChanged[row] === YES) changed++;
      }
      return {
        columns: [
          idAnswerColumn(latest),
          { values: confidence, stride: 1, offset: 0, zeroMeansMissing: false, decimals: 6 },
          { values: hasChanged, stride: 1, offset: 0, zeroMeansMissing: false, words: ['false', 'true'] },
        ],
        status,
        stats: { ...emptyStats(), points: count },
        *errors(): Iterable<Row> {
          for (const [index, code] of status.entries())
            if (code === rootFailed)
              yield { index, status: statusText(code), error: outcomes.errors.get(indices[index]) };
        },
      };
    },
  };
}

/** The values of the column `changed`. */
const NO = 0,
  YES = 1,
  UNKNOWN = 2;

/** What became of the distinct roots of a column. */
interface RootOutcomes {
  /** For each row, the index of its root in the arrays below. */
  indices: Uint32Array;
  latest: BigUint64Array;
  confidence: Float64Array;
  changed: Uint8Array;
  status: Uint8Array;
  errors: Map<number, Error>;
}

/** Finds out what became of the roots of a column. */
async function findOutcomes(
  column: BigUint64Array,
  volume: LatestVolume,
  timestamp: Date,
  signal: AbortSignal | undefined,
): Promise<RootOutcomes> {
  const { roots, indices, isCurrent, errors } = await findCurrentRoots(
    column,
    volume.isLatest,
    timestamp,
    signal,
  );
  const latest = new BigUint64Array(roots.length),
    confidence = new Float64Array(roots.length).fill(NaN);
  const changed = new Uint8Array(roots.length).fill(UNKNOWN),
    status = new Uint8Array(roots.length).fill(rootFailed);
  const setAnswer = (index: number, root: bigint, share: number, hasChanged: number): void => {
    latest[index] = root;
    confidence[index] = share;
    changed[index] = hasChanged;
    status[index] = ok;
  };
  const replaced: number[] = [];
  for (let index = 0; index < roots.length; index++) {
    if (isCurrent[index]) setAnswer(index, roots[index], 1, NO);
    else if (roots[index] === 0n) status[index] = background;
    else if (!errors.has(index)) replaced.push(index);
  }
  const suggest = (part: number[]): Promise<readonly Suggestion[]> =>
    volume.suggest(
      BigUint64Array.from(part, (index) => roots[index]),
      timestamp,
      signal,
    );
  for await (const { ids, answers, error } of requestInParts(replaced, suggest, {
    maxIds: ROOTS_AT_ONCE,
    concurrency: VOTES_AT_ONCE,
    signal,
  }))
    ids.forEach((index, k) => {
      const best = answers?.[k].suggestions[0];
      if (best) setAnswer(index, best.root, best.confidence, YES);
      else if (!error || (error instanceof GraphError && error.code === 'UNKNOWN_ID')) status[index] = noRoot;
      else errors.set(index, error);
    });
  return { indices, latest, confidence, changed, status, errors };
}
