/**
 * Runs `graphene-points demo`: looks up points in a small volume served on this machine, before and after a
 * merge.
 */
import { readFile } from 'node:fs/promises';
import { openGraphene } from '../graphene/open-and-resolve.ts';
import type { Io } from './io.ts';
import { alignColumns, type Report } from './report.ts';

/** Prints the answers of the demo at two timestamps, and the requests that were sent. */
export async function runDemo({ stdout, signal }: Io, report: Report): Promise<void> {
  const { DEMO_AFTER, DEMO_BEFORE, demoPointsFile, serveDemo } = await import('../../mocks/demo.ts');
  const rows = readDemoPoints(await readFile(demoPointsFile(), 'utf8'));
  const served = await serveDemo();
  try {
    const volume = await openGraphene(served.cloudPath, { token: null, signal, logger: report });
    try {
      const points = rows.map(({ point }) => point);
      const before = await volume.at(DEMO_BEFORE).scatteredPoints(points, { onError: 'status', signal });
      // The supervoxels are known, so no voxel is read again.
      const after = await volume.at(DEMO_AFTER).roots(before.supervoxelIds, { onError: 'status', signal });
      const table = Array.from(before.rows(), ({ index, status, supervoxelId, rootId }) => {
        const { id, point, note } = rows[index];
        const hasAnswer = status === 'ok' || status === 'background';
        const ids = [supervoxelId, rootId, after.rootIds[index]].map((value) =>
          hasAnswer ? String(value) : '',
        );
        return [id, point.join(', '), ...ids, status, rootId === after.rootIds[index] ? '' : 'changed', note];
      });
      const requests = [served.graph, served.bucket].flatMap(({ log }, k) =>
        log.requests.map(({ method, path, query, status, bodyBytes, responseBytes }) => [
          method,
          `${k === 1 ? '/bucket' : ''}${path}${query && `?${query}`}`,
          String(status),
          `${bodyBytes} bytes up`,
          `${responseBytes} down`,
        ]),
      );
      stdout.write(
        [
          `${rows.length} points of ${served.cloudPath} (a mock server on this machine)`,
          '',
          alignColumns([
            [
              'id',
              'point',
              'supervoxel',
              `root at ${DEMO_BEFORE}`,
              `root at ${DEMO_AFTER}`,
              'status',
              '',
              'note',
            ],
            ...table,
          ]),
          `Between the two timestamps, two neurons were merged. Their points have a new root ID; their supervoxel IDs are the same.`,
          '',
          `${requests.length} requests: one per chunk, and one for all roots at a timestamp.`,
          '',
          alignColumns(requests),
        ].join('\n'),
      );
    } finally {
      await volume.close();
    }
  } finally {
    await served.close();
  }
}

/** Reads the CSV file of the demo: `id,x,y,z,note`. */
function readDemoPoints(text: string): { id: string; point: number[]; note: string }[] {
  const lines = text.trimEnd().split(/\r?\n/).slice(1);
  return lines.map((line) => {
    const [id, ...rest] = line.split(',');
    return {
      id,
      point: rest.slice(0, 3).map(Number),
      note: rest
        .slice(3)
        .join(',')
        .replace(/^"(.*)"$/, '$1'),
    };
  });
}
