/** A service whose callers need tokens, on mocks that need tokens too, and a client without manners. */
import { connect } from 'node:net';
import { mockCave, serveMocks, type MockUser, type ServedMocks } from '../../../mocks/index.ts';
import { createService, type Service } from '../../../lib/serve/create-service.ts';
import type { ServiceOptions } from '../../../lib/serve/service-types.ts';
import { worldBucket, worldGraph } from '../../../testing/graph-world.ts';

export const OPERATOR = 'operator-0123456789abcdef',
  ALICE = 'alice-0123456789abcdef',
  BOB = 'bob-0123456789abcdef',
  GUEST = 'guest-0123456789abcdef',
  UNSIGNED = 'unsigned-0123456789abcdef',
  UNKNOWN = 'unknown-0123456789abcdef';

export interface AccessWorld {
  service: Service;
  mocks: ServedMocks;
  /** The users of CAVE by token. A spec may change them. */
  tokens: Record<string, MockUser>;
  graph: ReturnType<typeof worldGraph>;
  bucket: ReturnType<typeof worldBucket>;
  cave: ReturnType<typeof mockCave>;
  warnings: string[];
  close(): Promise<void>;
}

/**
 * Starts a service for the graph `world` and its watershed `watershed`.
 * @param options What depends on the URL of the mocks.
 */
export async function startAccessWorld(
  options: (url: string) => Partial<ServiceOptions>,
  { bucketToken }: { bucketToken?: string } = {},
): Promise<AccessWorld> {
  const tokens: Record<string, MockUser> = {
    [OPERATOR]: { id: 1 },
    [ALICE]: { id: 2, permissions: ['view'] },
    [BOB]: { id: 3, permissions: ['view'] },
    [GUEST]: { id: 4, permissions: [] },
    [UNSIGNED]: { id: 5, missingTos: { id: 3, name: 'Terms' } },
  };
  const bucket = worldBucket({ token: bucketToken }),
    graph = worldGraph({ tokens, dataDir: '{HOST}/bucket', dataset: 'cells' }),
    cave = mockCave({ tokens, table: 'world', dataset: 'cells', hasPublicRoots: true });
  const warnings: string[] = [];
  const mocks = await serveMocks({ '/bucket': bucket, '/segmentation': graph, ...cave });
  try {
    const { open, ...rest } = options(mocks.url);
    const service = await createService({
      volumes: [
        { name: 'world', path: `graphene://${mocks.url}/segmentation/table/world` },
        { name: 'watershed', path: `precomputed://${mocks.url}/bucket` },
      ],
      open: {
        workers: 0,
        token: OPERATOR,
        logger: { warn: (message) => void warnings.push(message) },
        ...open,
      },
      port: 0,
      ...rest,
    });
    const close = async (): Promise<void> => {
      await service.close();
      await mocks.close();
    };
    return { service, mocks, tokens, graph, bucket, cave, warnings, close };
  } catch (error) {
    await mocks.close();
    throw error;
  }
}

/** An answer of a service. */
export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

/**
 * Sends text over a socket, as it is, and reads the first answer.
 * @param text A request; lines end with \r\n, and `PORT` becomes the port of the service.
 */
export function sendRaw(url: string, text: string): Promise<RawAnswer> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () =>
      socket.write(text.replaceAll('PORT', port), 'latin1'),
    );
    const finish = (): void => {
      const [head, ...body] = answer.split('\r\n\r\n'),
        [first, ...lines] = head.split('\r\n');
      if (answer === '') return reject(new Error('the connection ended without an answer'));
      socket.destroy();
      resolve({
        status: Number(first.split(' ')[1]),
        headers: Object.fromEntries(
          lines.map((line) => [line.split(':')[0].toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
        ),
        body: body.join('\r\n\r\n'),
      });
    };
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      answer += part;
      const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1],
        end = answer.indexOf('\r\n\r\n');
      if (end >= 0 && length !== undefined && answer.length >= end + 4 + Number(length)) finish();
    });
    socket.on('end', finish);
    socket.on('error', () => (answer === '' ? reject(new Error('the connection was reset')) : finish()));
  });
}
