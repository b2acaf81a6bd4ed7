/** What some of the server's messages mean: unknown IDs, for one, come as 500 with a Python exception's text. */
import { GraphError } from '../../base/errors.ts';

const HINT = 'if it is a root of another moment, suggestLatestRoots says what became of it';

/** By the server's own message. Sources: PyChunkedGraph, segmenthistory.py; graph/chunkedgraph.py, `get_root`; app/app_utils.py, `remap_public`. */
const MEANINGS: [message: RegExp, meaning: (match: RegExpExecArray) => string][] = [
  [/^(\d+) is no root$/, ([, id]) => `${id} is no root; ${HINT}`],
  [/^(\d+)$/, ([, id]) => `the graph has no ID ${id}; ${HINT}`],
  [/^Cannot find root id (\d+), \d+, (.+)$/, ([, id, time]) => `${id} has no root at ${time}; ${HINT}`],
  [
    /(root_id|node_ids).* not valid at timestamp$/,
    ([, what]) => `${what} not valid at the moment that this table shows; ${HINT}`,
  ],
  [
    /Supervoxels must belong to the same segment/,
    () => `the points are not, or no more, on one object; ${HINT}`,
  ],
];

/** Endpoints that fail in the versions known, whatever is asked, and what does the same. Observed of PyChunkedGraph 2.21.1. */
const BROKEN: [path: RegExp, instead: string][] = [
  [/\/last_edit$/, 'use graph.lastEdit'],
  [/\/merge_log$/, 'it fails when there is an undo in the history: use graph.mergeLog'],
  [/\/roots_from_coords$/, 'use scatteredPoints or rootAt of the volume'],
  [/\/l2_chunk_children\/\d+$/, 'it works with as_array=true only: use graph.l2ChunkChildren'],
  [/\/contact_sites$/, 'nothing does the same'],
  [
    /\/oldest_timestamp$/,
    'it fails where no operation is among the first hundred: use graph.oldestTimestamp',
  ],
];

/** The same error; or UNKNOWN_ID where the server has no such ID, or not at that moment; or BROKEN_ENDPOINT. */
export function explainError(error: unknown): unknown {
  if (!(error instanceof GraphError) || error.code !== 'HTTP_STATUS') return error;
  const { url, status, serverMessage = '' } = error;
  for (const [message, meaning] of MEANINGS) {
    const match = message.exec(serverMessage);
    if (match)
      return new GraphError('UNKNOWN_ID', `${url} answered ${status}: ${meaning(match)}`, url, status, {
        serverMessage,
      });
  }
  const broken = status === 500 ? BROKEN.find(([path]) => path.test(url)) : undefined;
  return broken
    ? new GraphError('BROKEN_ENDPOINT', `${url} answered 500: ${serverMessage}; ${broken[1]}`, url, status, {
        serverMessage,
      })
    : error;
}
