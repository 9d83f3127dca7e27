/** Decides whether an endpoint holds a secret, so that only those who were given the endpoint know it, and whether it lacks one. Pure. */

/** The URL of a SumoLogic source: the last part of its path is a code that SumoLogic draws, and is the credential of the source. */
const pathWithCode = /^\/receiver\/v1\/http\/([\w+-]+)(?:=|%3[Dd]){0,2}$/;
/** Codes of SumoLogic have more than 80 characters, and 240 random bits cannot be guessed. */
const minCodeLength = 40;
/** A random code of this length has about 30 different characters. A placeholder has fewer. */
const minDifferentCharacters = 16;

/**
 * Returns true if the path is that of a SumoLogic source with a long code of mixed characters. Every other URL may be known to many
 * teams: that of Splunk's HTTP Event Collector, that of a relay, and also one with an API key of the whole company. The host does not
 * count, since a proxy or a private link in front of SumoLogic has another one.
 */
export function holdsSecret(endpoint: string): boolean {
  const [, code = ''] = pathWithCode.exec(URL.parse(endpoint)?.pathname ?? '') ?? [];
  const isMixed = [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(code));
  return code.length >= minCodeLength && isMixed && new Set(code).size >= minDifferentCharacters;
}

/**
 * Returns true for the URL of a SumoLogic source of the kind Auth Header. It has no code, and SumoLogic wants a token in the header
 * `x-sumo-token`, which Konnect cannot send.
 */
export function lacksCode(endpoint: string): boolean {
  const { hostname = '', pathname = '' } = URL.parse(endpoint) ?? {};
  return /(?:^|\.)sumologic\.com\.?$/.test(hostname) && /\/receiver\/v1\/http\/?$/.test(pathname);
}
