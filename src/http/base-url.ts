/**
 * Returns what is wrong with a base URL, or undefined if it is valid: https (http for loopback hosts only), without credentials, query and fragment. The text
 * does not contain the URL, which may contain a credential.
 */
export function problemWithBaseURL(text: string): string | undefined {
  if (/[\s{}\\?#]/.test(text)) return 'must have no query, fragment, blank, backslash or other braces';
  if (!URL.canParse(text)) return 'must be a URL';
  const { username, password, protocol, hostname } = new URL(text);
  if (username !== '' || password !== '' || text.includes('@')) return 'must have no credentials';
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSafe ? undefined : 'must be https (http is for loopback hosts only)';
}

/** Returns whether the host of a URL is this machine, so that http is as safe as https. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname)
  );
}
