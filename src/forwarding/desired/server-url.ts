/** Returns the region in a host like `us.api.konghq.com`, if it names one. kong-operator accepts a URL or only a host. */
export function regionOf(serverURL = ''): string | undefined {
  const region = /^(?:https?:\/\/)?([a-z][a-z0-9]{1,14})\.api\./i.exec(serverURL)?.[1]?.toLowerCase();
  return region === 'global' ? undefined : region;
}
