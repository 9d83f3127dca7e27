import { problemWithBaseURL } from '../http/base-url.ts';

const placeholder = '{region}';

export const defaultKonnectURL = `https://${placeholder}.api.konghq.com`;

/** The region that destinations and organizations belong to. */
export const globalRegion = 'global';

const regionPattern = /^[a-z][a-z0-9]{1,14}$/;

export function isRegion(text: string): boolean {
  return regionPattern.test(text);
}

/**
 * Returns what is wrong with a URL template, or undefined if it is valid. The text does not contain the template, which may contain a credential.
 * A valid template is https (http for loopback hosts only) and has `{region}` once, in the host or in the path. It has no credentials, query or fragment.
 * In the host a fixed name must follow `{region}`, so that the name of a region never decides which host gets the tokens.
 */
export function problemWithKonnectURL(template: string): string | undefined {
  if (template.split(placeholder).length !== 2) return `must contain ${placeholder} exactly once`;
  const sample = template.replace(placeholder, 'us');
  const problem = problemWithBaseURL(sample);
  if (problem !== undefined) return problem;
  const host = /^https?:\/\/([^/]*)/i.exec(template)?.[1];
  if (host === undefined) return 'must be a URL';
  if (host.includes(placeholder) && !/\{region\}\.[a-z0-9]/i.test(host)) {
    return `must have a fixed name after ${placeholder} in its host`;
  }
  return undefined;
}

/** Returns the base URL of a region, with a slash at its end. Throws a TypeError for an invalid template or region. */
export function hostFor(template: string, region: string): URL {
  if (!isRegion(region)) throw new TypeError('not the name of a Konnect region');
  if (problemWithKonnectURL(template) !== undefined) throw new TypeError('not a valid template of a Konnect URL');
  return new URL(`${template.replace(placeholder, region).replace(/\/+$/, '')}/`);
}
