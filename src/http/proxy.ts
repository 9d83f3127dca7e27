import { BlockList, isIP } from 'node:net';

/** The code of a request that a proxy answered with 407: the proxy refuses the user and password in its URL, or lacks them. */
export const proxyAuthenticationCode = 'PROXY_AUTHENTICATION_REQUIRED';

/** The values of the environment variables of these names. Hosts in NO_PROXY are reached directly. */
export interface ProxyEnvironment {
  HTTP_PROXY?: string | undefined;
  HTTPS_PROXY?: string | undefined;
  NO_PROXY?: string | undefined;
}

/** Describes the proxies that {@link parseProxyURL} accepts. */
export const expectedProxyURL =
  'the URL of an http or https proxy such as http://proxy.example.com:3128, without quotes, and with special characters of its password percent-encoded';

/**
 * Returns the URL of a proxy as Node's agents need it, or undefined if the text is no URL of an http or https proxy. As for curl and Go, the scheme may
 * be missing (then it is http) or in capitals. Spaces and line breaks around the text do not count.
 */
export function parseProxyURL(text: string): string | undefined {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  if (/[\s"'`\\]/.test(withScheme) || !URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  // A "/", "?" or "#" in the password ends the host too early.
  if (url.search !== '' || url.hash !== '' || url.pathname.includes('@')) return undefined;
  return isDecodable(url.username) && isDecodable(url.password) ? url.href.replace(/\/$/, '') : undefined;
}

/**
 * Returns whether NO_PROXY excepts the host of a URL. An entry is a host, which stands for its subdomains too, `*.` and a host for subdomains only, an
 * address, a network such as 10.0.0.0/8, or `*` for everything. A port after a host or an address limits the entry to that port.
 */
export function isExceptedFromProxy({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const host = bare(hostname.toLowerCase());
  const hostPort = port === '' ? { 'http:': '80', 'https:': '443' }[protocol] : port;
  const entries = noProxy.toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    const [, name = entry, entryPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
    return (entryPort === undefined || entryPort === hostPort) && matches(bare(name), host);
  });
}

function matches(entry: string, host: string): boolean {
  if (entry === '' || entry === '.') return false;
  if (entry === '*' || entry === host) return true;
  const family = isIP(host);
  if (family !== 0) return isInNetwork(host, family === 4 ? 'ipv4' : 'ipv6', entry);
  if (entry.startsWith('*.')) return host.endsWith(entry.slice(1));
  const name = entry.replace(/^\./, '');
  return host === name || host.endsWith(`.${name}`);
}

function isInNetwork(address: string, family: 'ipv4' | 'ipv6', entry: string): boolean {
  const [, network = '', bits] = /^([\da-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const maxBits = family === 'ipv4' ? 32 : 128;
  if (isIP(network) !== isIP(address) || Number(bits) > maxBits) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(address, family);
}

/** Returns a host without the brackets of an IPv6 address and without the dot at its end. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/(?<=.)\.$/, '');
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
