/** What a report says was asked, from the flags of a command. */
import { safePath } from '../lookup-table/volume-facts.ts';
import type { ReportFacts } from '../report/model/report-facts.ts';
import type { RunRecord } from '../report/model/run-record.ts';
import { safeUrl } from '../report/model/safe-url.ts';
import { flagNames } from './flag-names.ts';
import type { CheckedLookup } from './lookup-session.ts';

/** The flags that a report names besides those with lines of their own. None of them is ever a secret. */
const NAMED = [
  'position',
  'columns',
  'resolution',
  'mip',
  'radiusNm',
  'interpolate',
  'timestampColumn',
  'stopLayer',
  'agglomerate',
  'ocdbt',
  'voxelsAt',
  'format',
  'outFormat',
  'replace',
  'missing',
  'idType',
  'strict',
  'maxFailures',
  'lruBytes',
  'cacheDir',
  'cacheBytes',
  'rangeReads',
  'concurrency',
  'workers',
  'timeoutMs',
  'taskPoints',
] as const;

/** @param run What a run has noted of the volumes; undefined if they were never opened. */
export function factsOfFlags(
  command: string,
  { path, flags, tables }: Pick<CheckedLookup, 'path' | 'flags' | 'tables'>,
  run: Pick<RunRecord, 'volumes' | 'unit'> | undefined,
): ReportFacts {
  const also = flags.also ?? [],
    given = flags as unknown as Readonly<Record<string, unknown>>,
    nameOf = flagNames('--points');
  const unknown = [{ name: '', path }, ...also].map((one) => ({
    name: one.name,
    path: safePath(one.path),
    what: 'not opened',
  }));
  return {
    command,
    volumes: run?.volumes ?? unknown,
    inputs: tables.map(({ name }) => safeUrl(name)),
    output: safeUrl(flags.out === '-' ? 'standard output' : flags.out),
    unit: run?.unit,
    asked: NAMED.flatMap((name) => {
      const value = given[name];
      // A flag --no-WHAT makes it false, and it is true without that flag.
      const isNegated = nameOf(name).startsWith('--no-');
      if (value === undefined || (isNegated && value === true)) return [];
      return [[nameOf(name), isNegated ? 'yes' : valueText(value)] as const];
    }),
    timestampAsked: flags.timestamp,
  };
}

function valueText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return safeUrl(typeof value === 'string' ? value : JSON.stringify(value));
}
