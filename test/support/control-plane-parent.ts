/** A process that starts a control plane, prints its progress, and never stops it. */
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../sandbox/control-plane/control-plane.ts';

const print = (text: string) => process.stdout.write(`${text}\n`);
const binaries = await ensureBinaries({ progress: print });
const { url, folder } = await startControlPlane({ binaries, progress: print });
print(JSON.stringify({ url, folder }));
await delay(600_000);
