import { expect, test } from '@jest/globals';
import { withFaults } from '../../mocks/faults.ts';
import { mockRequest } from '../../mocks/message.ts';

test('withFaults changes the bytes of one answer, not the stored ones, although a slice of a Buffer shares its memory', async () => {
  const stored = Buffer.alloc(100, 7);
  const handler = withFaults(() => ({ status: 200, headers: {}, body: stored }), [{ corrupt: 5, times: 1 }]);
  const send = async (): Promise<Uint8Array> => (await handler(mockRequest('GET', '/object', {}))).body;
  expect([...(await send())].filter((byte) => byte !== 7)).toHaveLength(5);
  expect([...stored]).toEqual(Array(100).fill(7));
  expect([...(await send())]).toEqual(Array(100).fill(7));
});
