/** A registry on loopback that keeps everything in memory. */
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { startSupervised } from '../../sandbox/control-plane/supervised.ts';
import { eventually } from '../../test/support/eventually.ts';

export interface Registry {
  /** Host and port. */
  readonly host: string;
  stop(): Promise<void>;
}

/** `crane`: the path of the executable. */
export async function startRegistry(crane: string): Promise<Registry> {
  return startSupervised(async (supervised) => {
    const host = `127.0.0.1:${String(await freePort())}`;
    await supervised.start('registry', crane, ['registry', 'serve', `--address=${host}`]);
    await eventually(async () => {
      await supervised.check('registry');
      if (!(await fetch(`http://${host}/v2/`)).ok) throw new Error('the registry is not ready');
    });
    return { host, stop: () => supervised.end() };
  });
}
