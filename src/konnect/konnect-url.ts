const placeholder = '{region}';

export const defaultKonnectURL = `https://${placeholder}.api.konghq.com`;

/** Where destinations and organizations live. */
export const globalRegion = 'global';

const regionPattern = /^[a-z][a-z0-9]{1,14}$/;

export function isRegion(text: string): boolean {
  return regionPattern.test(text);
}

/**
 * What is wrong with a URL template, in our own words and without the template, which may hold a credential; undefined if nothing is.
 * A template is https (http for loopback hosts only), has `{region}` once, in the host or in the path, and neither credentials nor a query
 * nor a fragment. In the host a fixed name must come after `{region}`, so that a region alone never decides where tokens go.
 */
export function problemWithKonnectURL(template: string): string | undefined {
  if (template.split(placeholder).length !== 2) return `must contain ${placeholder} exactly once`;
  const sample = template.replace(placeholder, 'us');
  if (/[\s{}\\?#]/.test(sample)) return 'must have no query, fragment, blank, backslash or other braces';
  if (!URL.canParse(sample)) return 'must be a URL';
  const url = new URL(sample);
  if (url.username !== '' || url.password !== '' || sample.includes('@')) return 'must have no credentials';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    return 'must be https (http is for loopback hosts only)';
  }
  const host = /^https?:\/\/([^/]*)/i.exec(template)?.[1];
  if (host === undefined) return 'must be a URL';
  if (host.includes(placeholder) && !/\{region\}\.[a-z0-9]/i.test(host)) {
    return `must have a fixed name after ${placeholder} in its host`;
  }
  return undefined;
}

/**
 * The base URL of a region's host, ending in a slash. Throws a TypeError for a template or region that is not valid; whatever the region,
 * the host is the template's.
 */
export function hostFor(template: string, region: string): URL {
  if (!isRegion(region)) throw new TypeError('not the name of a Konnect region');
  if (problemWithKonnectURL(template) !== undefined) throw new TypeError('not a valid template of a Konnect URL');
  return new URL(`${template.replace(placeholder, region).replace(/\/+$/, '')}/`);
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  );
}
