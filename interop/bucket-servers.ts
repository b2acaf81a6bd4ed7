/** The servers of buckets: versitygw, which checks every signature of S3, and fake-gcs-server, Google's API. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startTool } from './go-tools.ts';

/** The keys of the user of the S3 server, and its region. */
export const S3_USER = {
  accessKeyId: 'ACCESSKEY7',
  secretAccessKey: 'secret/with+signs=7',
  region: 'eu-central-1',
} as const;

type RunningServer = Awaited<ReturnType<typeof startTool>> & { port: number };

/** Starts an S3 server. @param folder Where it keeps the buckets. */
export async function startS3(folder: string): Promise<RunningServer> {
  const port = await freePort(),
    root = join(folder, 's3');
  mkdirSync(root);
  const server = await startTool('versitygw', port, [
    '--port',
    `127.0.0.1:${port}`,
    '--access',
    S3_USER.accessKeyId,
    '--secret',
    S3_USER.secretAccessKey,
    '--region',
    S3_USER.region,
    '--quiet',
    'posix',
    root,
  ]);
  return { ...server, port };
}

/** Starts a server with Google's API, which wants no token. */
export async function startGs(folder: string): Promise<RunningServer> {
  const port = await freePort();
  const server = await startTool('fake-gcs-server', port, [
    '-scheme',
    'http',
    '-host',
    '127.0.0.1',
    '-port',
    String(port),
    '-public-host',
    '127.0.0.1',
    '-external-url',
    `http://127.0.0.1:${port}`,
    '-backend',
    'memory',
    '-log-level',
    'error',
    '-data',
    join(folder, 'none'),
  ]);
  return { ...server, port };
}
