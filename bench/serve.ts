/** A folder of volumes on loopback, in a process of its own: prints `PORT n`. Stops when its standard input ends. */
import { createMockBucket, serveMocks } from 'graphene-points/mocks';

const served = await serveMocks({ '/': createMockBucket({ folder: process.argv[2] }) });
console.log(`PORT ${new URL(served.url).port}`);
process.stdin.on('end', () => process.exit()).resume();
