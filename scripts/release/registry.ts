/** A registry on loopback that keeps everything in memory. */
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { startSupervised } from '../../sandbox/control-plane/supervised.ts';

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
    await supervised.waitUntilOK('registry', `http://${host}/v2/`, 60_000);
    return { host, stop: () => supervised.end() };
  });
}
