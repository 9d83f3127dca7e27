import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import { Informer, type InformerOptions } from '../kube/informer.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/objects.ts';
import { joinStores, type ReadonlyStore } from '../kube/store.ts';
import type { WatchHealth } from '../kube/watch-staleness.ts';
import type { Log } from '../runtime/log.ts';
import { authConfigurationsPath, authConfigurationToKeep } from './auth-configuration-resource.ts';
import type { Enqueuer } from './enqueuer.ts';
import { forwardingsPath, forwardingToKeep, parseForwarding } from './forwarding-resource.ts';
import { secretsPath, secretToKeep } from './secret-resource.ts';

export interface CachesOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly log: Log;
  /** The namespaces to watch. All namespaces if empty. */
  readonly namespaces: readonly string[];
  /** Which forwardings to watch, by their labels. All forwardings if undefined. */
  readonly labelSelector?: string | undefined;
  /** Whether to watch the KonnectAPIAuthConfigurations of kong-operator. */
  readonly hasAuthRefs: boolean;
  readonly enqueuer: Pick<Enqueuer, 'onForwarding' | 'onSecret' | 'onAuthConfiguration'>;
}

export interface Caches {
  readonly informers: readonly Informer<KubeObject>[];
  /** Returns the informers for probes and metrics. Those of a kind that the operator can do without are left out while its first list has neither ended nor been forbidden, or the cluster does not serve it. */
  readonly health: () => readonly WatchHealth[];
  /**
   * Resolves when forwardings and Secrets are listed, without the namespaces that the API server forbids to list if it permits another one. Their forwardings are enqueued
   * when it permits them.
   */
  readonly filled: () => Promise<void>;
  /** The forwardings as the API server shows them, of all watched namespaces. */
  readonly forwardings: ReadonlyStore<KubeObject>;
  /** Returns a forwarding as last seen. An object that this operator cannot parse is logged and counts as missing. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** Puts the answer to an own write into the cache, so that the next reconciliation never sees an older state. */
  readonly onWritten: (object: KubeObject) => void;
}

/** Creates the informers, one for each kind and watched namespace. They are not running yet. */
export function createCaches({ client, log, namespaces, labelSelector, hasAuthRefs, enqueuer }: CachesOptions): Caches {
  const scopes = namespaces.length === 0 ? [undefined] : namespaces;
  const informersOf = (
    pathOf: (namespace?: string) => string,
    options: Pick<InformerOptions<KubeObject>, 'query' | 'isMetadataOnly' | 'isOptional' | 'transform' | 'onChange'>,
  ) => scopes.map((namespace) => new Informer({ client, path: pathOf(namespace), log, ...options }));
  const forwardingInformers = informersOf(forwardingsPath, {
    ...(labelSelector === undefined ? {} : { query: { labelSelector } }),
    transform: forwardingToKeep,
    onChange: (change) => enqueuer.onForwarding(change),
  });
  const secretInformers = informersOf(secretsPath, {
    isMetadataOnly: true,
    transform: secretToKeep,
    onChange: (change) => enqueuer.onSecret(change),
  });
  const authInformers = hasAuthRefs
    ? informersOf(authConfigurationsPath, {
        isOptional: true,
        transform: authConfigurationToKeep,
        onChange: (change) => enqueuer.onAuthConfiguration(change),
      })
    : [];
  const forwardings = joinStores(forwardingInformers.map(({ store }) => store));

  function find(key: string): AuditLogForwarding | undefined {
    const object = forwardings.get(key);
    if (object === undefined) return undefined;
    const parsed = parseForwarding(object);
    if (parsed.kind === 'forwarding') return parsed.forwarding;
    const { namespace, name } = object.metadata;
    log.error(
      { namespace, name, fields: parsed.fields },
      'AuditLogForwarding has fields that this operator does not understand and is not reconciled: install the CRD of the same version',
    );
    return undefined;
  }

  const kinds = [forwardingInformers, secretInformers];

  return {
    informers: [...kinds.flat(), ...authInformers],
    health: () => [
      ...kinds.flat(),
      ...authInformers.filter(({ hasSynced, isServed, isForbidden }) => isForbidden || (hasSynced && isServed)),
    ],
    async filled() {
      await Promise.all(kinds.flat().map(({ attempted }) => attempted));
      await Promise.all(kinds.map((informers) => Promise.race(informers.map(({ synced }) => synced))));
    },
    forwardings,
    find,
    onWritten(object) {
      const { namespace } = object.metadata;
      const own = forwardingInformers.find((one) => one.namespace === undefined || one.namespace === namespace);
      own?.upsert(object);
    },
  };
}
