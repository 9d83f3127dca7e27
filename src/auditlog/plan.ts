/** `auditlog plan`: shows what applying a file would do in Konnect, without a cluster. */
import type { AuditLogForwarding, Spec } from '../api/v1alpha1.ts';
import { keyOfKongOperator } from '../forwarding/desired/token.ts';
import type { AuthConfiguration, Secret } from '../forwarding/ports.ts';
import { changeExitTexts, changesOf, clusterNameOption, printChanges } from './changes.ts';
import { type Arguments, type Command, type Terminal, textOf, UsageError } from './command.ts';
import { konnectToken, konnectURLOption, requiredToken, tokenOption, withHTTP } from './konnect-connection.ts';
import { encoded, type Manifests, readManifests } from './manifests.ts';
import { outputFormat, outputOption } from './output.ts';

export const planCommand: Command = {
  operands: '',
  summary: 'Shows what applying a file would do in Konnect, as if its forwardings were new. It needs no cluster.',
  options: {
    filename: { type: 'string', short: 'f', value: 'FILE', help: 'The manifests. - is standard input.' },
    namespace: {
      type: 'string',
      short: 'n',
      value: 'NAME',
      help: 'The namespace of objects without one. The default is default.',
    },
    ...tokenOption,
    ...konnectURLOption,
    ...clusterNameOption,
    output: outputOption,
  },
  exits: changeExitTexts,
  run: plan,
};

async function plan(args: Arguments, terminal: Terminal): Promise<number> {
  const format = outputFormat(args);
  const file = textOf(args, 'filename');
  if (file === undefined) throw new UsageError('name the file: -f FILE');
  const { dryRun } = await import('./dry-run.ts');
  const manifests = await readManifests(file, textOf(args, 'namespace') ?? 'default', terminal);
  const { forwardings, portals } = manifests;
  const { secrets, authConfigurations } = withStandIns(manifests, await konnectToken(args, terminal), terminal);
  const results = await withHTTP(args, terminal, ({ http, urlTemplate }) =>
    dryRun(
      {
        http,
        urlTemplate,
        cluster: {
          readSecret: (namespace, name) => Promise.resolve(secrets.get(`${namespace}/${name}`) ?? 'absent'),
          readPortal: (namespace, name) => Promise.resolve(portals.get(`${namespace}/${name}`) ?? { kind: 'portal' }),
          readAuthConfiguration: (namespace, name) =>
            Promise.resolve(authConfigurations.get(`${namespace}/${name}`) ?? { kind: 'absent' }),
        },
        forwardings,
        clusterName: textOf(args, 'cluster-name') ?? '',
        now: () => new Date(),
        signal: terminal.signal,
      },
      forwardings,
    ),
  );
  return printChanges(changesOf(results), format, terminal);
}

/** Returns the sources of tokens and credentials in the file, with stand-ins for those that it lacks: the token of the user, and an endpoint that Konnect does not have. */
function withStandIns(
  { forwardings, secrets, authConfigurations }: Manifests,
  token: string | undefined,
  terminal: Terminal,
): Pick<Manifests, 'secrets' | 'authConfigurations'> {
  const all = new Map(secrets);
  const configurations = new Map(authConfigurations);
  for (const forwarding of forwardings) {
    const { metadata, spec } = forwarding;
    const missing = missingTokenSource(forwarding, { secrets: all, authConfigurations: configurations });
    if (missing !== undefined) {
      const given = requiredToken(token, `the file lacks ${missing.kind} ${missing.of}: `);
      if (missing.kind === 'Secret') all.set(missing.of, standIn({ [missing.key]: given }));
      else configurations.set(missing.of, { kind: 'token', token: given });
    }
    const destination =
      spec.destination === undefined ? undefined : `${metadata.namespace}/${spec.destination.secretRef.name}`;
    if (destination === undefined || spec.destination === undefined || all.has(destination)) continue;
    terminal.warn(
      `the file lacks Secret ${destination}: the plan is for an endpoint that no destination in Konnect has yet`,
    );
    all.set(destination, standIn(standInFor(spec.destination)));
  }
  return { secrets: all, authConfigurations: configurations };
}

type TokenSource =
  | { readonly kind: 'Secret'; readonly of: string; readonly key: string }
  | { readonly kind: 'KonnectAPIAuthConfiguration'; readonly of: string };

/** Returns the object with the token of a forwarding if the file lacks it. */
function missingTokenSource(
  { metadata: { namespace }, spec }: AuditLogForwarding,
  { secrets, authConfigurations }: Pick<Manifests, 'secrets' | 'authConfigurations'>,
): TokenSource | undefined {
  const { tokenSecretRef, authRef } = spec.konnect;
  const configured: AuthConfiguration | undefined = authConfigurations.get(`${namespace}/${authRef?.name ?? ''}`);
  const secret =
    tokenSecretRef ?? (configured?.kind === 'secret' ? { name: configured.name, key: keyOfKongOperator } : undefined);
  if (secret !== undefined) {
    const of = `${namespace}/${secret.name}`;
    return secrets.has(of) ? undefined : { kind: 'Secret', of, key: secret.key };
  }
  const isThere = authRef === undefined || configured !== undefined;
  return isThere ? undefined : { kind: 'KonnectAPIAuthConfiguration', of: `${namespace}/${authRef.name}` };
}

function standInFor({ secretRef, authorizationScheme }: NonNullable<Spec['destination']>): Record<string, string> {
  const authorization = authorizationScheme === undefined ? 'Bearer stand-in' : 'stand-in';
  return { [secretRef.endpointKey]: 'https://stand-in.invalid/', [secretRef.authorizationKey]: authorization };
}

function standIn(values: Readonly<Record<string, string>>): Secret {
  return { uid: 'stand-in', resourceVersion: '1', data: encoded(values) };
}
