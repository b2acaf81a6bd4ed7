/** Lints the Dockerfile and the Compose file of the service. No image is built. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Part } from './part.ts';
import { ClientError, PythonClient } from './python-client.ts';

const FOLDER = join(import.meta.dirname, '../deploy/serve');

export const deploy: Part = async ({ python, comparison }) => {
  const hadolint = (text: string): { status: number | null; stdout: string } =>
    spawnSync(join(dirname(python), 'hadolint'), ['-'], { input: text, encoding: 'utf8' });
  const dockerfile = readFileSync(join(FOLDER, 'Dockerfile'), 'utf8');
  const { status, stdout } = hadolint(dockerfile);
  comparison.same('hadolint of the Dockerfile', [0, ''], [status, stdout]);
  comparison.same(
    'hadolint of a Dockerfile that ends as root',
    1,
    hadolint(`${dockerfile}USER root\n`).status,
  );

  await using client = new PythonClient(python, 'compose_client.py');
  const text = readFileSync(join(FOLDER, 'compose.yaml'), 'utf8');
  const { services } = await client.call<{ services: Record<string, Record<string, unknown>> }>('validate', {
    text,
  });
  const { read_only, cap_drop, tmpfs } = services['graphene-points'];
  comparison.same(
    'the service of the Compose file',
    [true, ['ALL'], ['/tmp']],
    [read_only, cap_drop, [tmpfs].flat()],
  );
  const broken = await client.call('validate', { text: text.replace('cap_drop:', 'cap_drops:') }).then(
    () => 'accepted',
    (error: unknown) => (error instanceof ClientError ? 'refused' : String(error)),
  );
  comparison.same('a Compose file with a misspelt member', 'refused', broken);
};
