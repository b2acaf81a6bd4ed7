/** What some of the server's messages mean: unknown IDs, for one, come as 500 with a Python exception's text. */
import { GraphError } from '../../base/errors.ts';

const HINT = 'if it is a root of another moment, suggestLatestRoots says what became of it';

/** By the server's own message. Sources: PyChunkedGraph, segmenthistory.py; graph/chunkedgraph.py, `get_root`; app/app_utils.py, `remap_public`. */
const MEANINGS: [message: RegExp, meaning: (match: RegExpExecArray) => string][] = [
  [/^(\d+) is no root$/, ([, id]) => `${id} is no root; ${HINT}`],
  [/^(\d+)$/, ([, id]) => `the graph has no ID ${id}; ${HINT}`],
  [/^Cannot find root id (\d+), \d+, (.+)$/, ([, id, time]) => `${id} has no root at ${time}; ${HINT}`],
  [/(root_id|node_ids).* not valid at timestamp$/, ([, what]) => `${what} not valid at the moment that this table shows; ${HINT}`],
  [/Supervoxels must belong to the same segment/, () => `the points are not, or no more, on one object; ${HINT}`],
];

/** The same error, or UNKNOWN_ID where the server has no such ID, or not at that moment. */
export function explained(error: unknown): unknown {
  if (!(error instanceof GraphError) || error.code !== 'HTTP_STATUS') return error;
  const { url, status, serverMessage = '' } = error;
  for (const [message, meaning] of MEANINGS) {
    const match = message.exec(serverMessage);
    if (match) return new GraphError('UNKNOWN_ID', `${url} answered ${status}: ${meaning(match)}`, url, status, { serverMessage });
  }
  return error;
}
