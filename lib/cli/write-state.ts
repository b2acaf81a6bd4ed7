/** Writes the Neuroglancer state of a look-up: to a file, as a link, and to a state server if that is asked for. */
import { constants } from 'node:fs';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DEFAULT_CAVE_SERVER, parseServer } from '../cave/cave-server.ts';
import { postState } from '../cave/state-server.ts';
import { createHttpClient } from '../failures/http-client.ts';
import type { ViewedVolume } from '../lookup-table/lookup-volumes.ts';
import type { ShownPoints } from '../lookup-table/shown-points.ts';
import {
  DEFAULT_GRAPH_VIEWER_SITE,
  DEFAULT_VIEWER_SITE,
  linkOfState,
  linkToStoredState,
} from '../neuroglancer/state-link.ts';
import { type AnswersState, stateOfAnswers } from '../neuroglancer/state-of-answers.ts';
import { ioError } from '../tables/files/byte-streams.ts';
import { type Io, UsageError } from './io.ts';
import type { Report } from './report.ts';

/** The flags of the state that is written. */
export interface WrittenStateFlags {
  /** The file; - is standard output. */
  neuroglancer?: string;
  /** The state server; true for that of the datastack, or CAVE's global one. */
  neuroglancerPost?: string | true;
  neuroglancerPoints?: number;
  colorBy?: 'root' | 'status';
  viewerSite?: string;
  points: readonly string[];
  out: string;
  stats?: string;
  /** The report for people. */
  report?: string;
}

/** Links that are longer are not printed. */
const MAX_PRINTED = 100_000;

/** Whether a state is written. */
export const writesState = ({ neuroglancer, neuroglancerPost }: WrittenStateFlags): boolean =>
  neuroglancer !== undefined || neuroglancerPost !== undefined;

/** Checks the flags before anything is requested. @throws UsageError; TableError UNREADABLE. */
export async function checkStateFlags(flags: WrittenStateFlags): Promise<void> {
  const { neuroglancer: file, points, out, stats, viewerSite } = flags;
  if (!writesState(flags)) {
    const unused = (
      [
        ['neuroglancerPoints', '--neuroglancer-points'],
        ['colorBy', '--color-by'],
        ['viewerSite', '--viewer-site'],
      ] as const
    ).find(([name]) => flags[name] !== undefined);
    if (unused) throw new UsageError(`${unused[1]} is for --neuroglancer`);
    return;
  }
  if (typeof flags.neuroglancerPost === 'string') parseServer(flags.neuroglancerPost);
  if (viewerSite !== undefined && !/^https?:\/\/[^/]/i.test(viewerSite))
    throw new UsageError('--viewer-site is a web address, such as https://neuroglancer-demo.appspot.com');
  if (file === undefined) return;
  if (file === '-') {
    if (out === '-')
      throw new UsageError('--neuroglancer - writes to standard output, as the rows do: name --out');
    return;
  }
  const other = [
    ...points,
    out,
    ...(stats === undefined ? [] : [stats]),
    ...(flags.report === undefined ? [] : [flags.report]),
  ].find((path) => resolve(path) === resolve(file));
  if (other !== undefined) throw new UsageError(`--neuroglancer ${file} would overwrite ${other}`);
  await access(dirname(resolve(file)), constants.W_OK).catch((error: unknown) => {
    throw ioError('written', file, error);
  });
}

/** Writes the state, and prints its link. */
export async function writeState(
  shown: ShownPoints,
  volume: ViewedVolume,
  flags: WrittenStateFlags,
  io: Io,
  report: Report,
): Promise<void> {
  const made = makeState(shown, volume, flags),
    { state } = made;
  if (volume.source === undefined)
    report.warn('no browser can read the volume where it is: the state shows the points only');
  for (const note of cutsOf(made, shown)) report.warn(note);
  const site =
    flags.viewerSite ??
    volume.viewerSite ??
    (volume.isGraph ? DEFAULT_GRAPH_VIEWER_SITE : DEFAULT_VIEWER_SITE);
  if (flags.neuroglancer !== undefined)
    await writeJson(`${JSON.stringify(state, undefined, 1)}\n`, flags.neuroglancer, io);
  if (flags.neuroglancerPost) {
    const { neuroglancerPost: named } = flags,
      url = await post(state, named === true ? (volume.server ?? DEFAULT_CAVE_SERVER) : named, io, report);
    report.line(`Neuroglancer: ${linkToStoredState(url, site)}`);
    return;
  }
  const link = linkOfState(state, site);
  report.line(
    link !== undefined && link.length <= MAX_PRINTED
      ? `Neuroglancer: ${link}`
      : `the state is too long for a link: paste it into ${site} ({} in the top bar), show fewer points (--neuroglancer-points), or post it to a CAVE state server (--neuroglancer-post)`,
  );
}

function makeState(
  shown: ShownPoints,
  volume: ViewedVolume,
  { colorBy, neuroglancerPoints }: WrittenStateFlags,
): AnswersState {
  const answers = shown.answers(),
    { source, isImage, unit, voxelSize } = volume;
  return stateOfAnswers(
    { ...answers, resolution: unit, ids: isImage ? new BigUint64Array(answers.status.length) : answers.ids },
    {
      ...(isImage ? { image: source } : { source }),
      voxelSize,
      colorBy: colorBy ?? (isImage ? 'status' : 'root'),
      maxPoints: neuroglancerPoints,
    },
  );
}

function cutsOf({ points, selected }: AnswersState, { count }: ShownPoints): string[] {
  const left = points.of + points.withoutPlace < count || points.shown < points.of;
  return [
    ...(left ? [`the state shows ${points.shown} of ${count} points: the first that were looked up`] : []),
    ...(selected.shown < selected.of && selected.shown > 0
      ? [`the state selects the ${selected.shown} most frequent of ${selected.of} IDs of these points`]
      : []),
  ];
}

async function writeJson(json: string, file: string, { stdout }: Io): Promise<void> {
  if (file === '-') {
    await new Promise<void>((done, fail) => stdout.write(json, (error) => (error ? fail(error) : done())));
    return;
  }
  const partial = `${file}.partial`;
  try {
    await writeFile(partial, json);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw ioError('written', file, error);
  }
}

async function post(state: object, server: string, { env, signal }: Io, report: Report): Promise<string> {
  const host = parseServer(server),
    http = createHttpClient({});
  try {
    return await postState(state, host, {
      http,
      env: env,
      trusted: [],
      signal,
      warn: (message) => report.warn(message),
    });
  } finally {
    http.close();
  }
}
