import { problemWithBaseURL } from '../http/base-url.ts';

const placeholder = '{deployment}';

export const defaultSumoLogicURL = `https://api.${placeholder}.sumologic.com`;

/** The only deployment whose name is not part of its host. */
const firstDeployment = 'us1';

const deploymentPattern = /^[a-z][a-z0-9]{1,14}$/;

/**
 * Returns what is wrong with a URL template, or undefined if it is valid. The text does not contain the template, which may contain a credential.
 * A valid template is https (http for loopback hosts only), and ends before `/api/v1`. If it has `{deployment}`, that is one label of the host with a fixed
 * name after it, so that the name of a deployment never decides who gets the access keys.
 */
export function problemWithSumoLogicURL(template: string): string | undefined {
  const parts = template.split(placeholder);
  if (parts.length > 2) return `must contain ${placeholder} at most once`;
  if (parts.length === 2 && !/^https?:\/\/[^/]*\.\{deployment\}\.[a-z0-9][^/]*/i.test(template))
    return `must have ${placeholder} in its host, with a name before and after it`;
  const sample = template.replace(placeholder, firstDeployment);
  const problem = problemWithBaseURL(sample);
  if (problem !== undefined) return problem;
  return /\/api\/v1\/?$/.test(new URL(sample).pathname) ? 'must end before /api/v1' : undefined;
}

/** Returns the base URL of a deployment's API, with a slash at its end. Throws a TypeError for an invalid template or deployment. */
export function sumoLogicURLFor(template: string, deployment: string): URL {
  if (!deploymentPattern.test(deployment)) throw new TypeError('not the name of a SumoLogic deployment');
  if (problemWithSumoLogicURL(template) !== undefined) throw new TypeError('not a valid template of a SumoLogic URL');
  const host =
    deployment === firstDeployment
      ? template.replace(`.${placeholder}`, '')
      : template.replace(placeholder, deployment);
  return new URL(`${host.replace(/\/+$/, '')}/api/v1/`);
}

/** Returns the deployment that a redirect of SumoLogic names, or undefined if it does not lead to a host of SumoLogic. */
export function deploymentIn(location: string | undefined): string | undefined {
  const url = location === undefined ? null : URL.parse(location);
  const found = /^api(?:\.([a-z][a-z0-9]{1,14}))?\.sumologic\.com$/.exec(url?.hostname ?? '');
  return found === null ? undefined : (found[1] ?? firstDeployment);
}
