export interface BindAddress {
  /** All interfaces if undefined. */
  host: string | undefined;
  /** Any free port if 0. */
  port: number;
}

/** Parses an address in the form of controller-runtime: `:8080`, `127.0.0.1:8080`, `[::1]:8080`, or `0` for none. Returns undefined for anything else. */
export function parseBindAddress(text: string): BindAddress | 'off' | undefined {
  if (text === '0') return 'off';
  const match = /^(?:\[(?<ipv6>[0-9a-f:.]{2,45})\]|(?<host>[A-Za-z0-9.-]{1,253}))?:(?<port>\d{1,5})$/i.exec(text);
  const port = Number(match?.groups?.['port'] ?? Number.NaN);
  return port <= 65_535 ? { host: match?.groups?.['ipv6'] ?? match?.groups?.['host'], port } : undefined;
}
