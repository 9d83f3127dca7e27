/** The local Konnect and the local SumoLogic. Konnect trusts SumoLogic's certificate. */
import { type Authority, createAuthority } from './certificates.ts';
import { createDelivery, type RotatingDelivery } from './konnect/delivery/sender.ts';
import type { KonnectSeed } from './konnect/seed.ts';
import { type KonnectServer, startKonnect } from './konnect/server.ts';
import { type SumoLogicServer, startSumoLogic } from './sumologic/server.ts';

export interface ServicesOptions {
  readonly seed: KonnectSeed;
  /** Code of SumoLogic's HTTP source, which is its credential. */
  readonly sourceCode: string;
  readonly accessKey: { readonly id: string; readonly key: string };
  /** Name of SumoLogic's source, as searches show it. Default `Http Input`, as in SumoLogic. */
  readonly sourceName?: string;
  /** Waits before Konnect's retries of a delivery. Default: as Konnect documents them. */
  readonly retryWaitsMs?: readonly number[];
  /** The time of day for both services. Default: that of the machine. */
  readonly clock?: () => Date;
}

export interface Services {
  readonly konnect: KonnectServer;
  readonly sumologic: SumoLogicServer;
  readonly delivery: RotatingDelivery;
  readonly authority: Authority;
  /** URL of SumoLogic's source. It is a secret. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

export async function startServices(options: ServicesOptions): Promise<Services> {
  const authority = await createAuthority('Sandbox CA');
  const { sourceCode, sourceName, accessKey, seed, retryWaitsMs, clock = () => new Date() } = options;
  const sumologic = await startSumoLogic({
    authority,
    sources: [{ code: sourceCode, ...(sourceName === undefined ? {} : { name: sourceName }) }],
    accessKeys: [accessKey],
    clock,
  });
  const delivery = createDelivery({
    authority: authority.certificate,
    clock,
    ...(retryWaitsMs === undefined ? {} : { retryWaitsMs }),
  });
  const konnect = await startKonnect({ seed, deliver: delivery, clock });
  return {
    konnect,
    sumologic,
    delivery,
    authority,
    endpoint: sumologic.receiverURL(sourceCode),
    async stop() {
      await konnect.stop();
      await sumologic.stop();
    },
  };
}
