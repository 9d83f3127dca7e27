import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { defaultKonnectURL, hostFor, isRegion, problemWithKonnectURL } from '../../../src/konnect/konnect-url.ts';

describe('a template of a Konnect URL', () => {
  test.each([
    defaultKonnectURL,
    'https://{region}.konnect.example.com:8443/base',
    'https://konnect.example.com/{region}',
    'http://127.0.0.1:8080/{region}',
    'http://127.1.2.3/{region}/',
    'http://localhost:1/{region}',
    'http://[::1]:8080/{region}',
    'http://{region}.localhost:8080',
  ])('%s is valid', (template) => {
    expect(problemWithKonnectURL(template)).toBeUndefined();
  });

  test.each([
    ['https://us.api.konghq.com', 'exactly once'],
    ['https://{region}.api.konghq.com/{region}', 'exactly once'],
    ['http://{region}.api.konghq.com', 'must be https'],
    ['http://127.0.0.1.example.com/{region}', 'must be https'],
    ['http://localhost.example.com/{region}', 'must be https'],
    ['ftp://{region}.api.konghq.com', 'must be https'],
    ['{region}.api.konghq.com', 'must be a URL'],
    ['https://{region}', 'fixed name'],
    ['https://api.{region}', 'fixed name'],
    ['https://{region}:443/', 'fixed name'],
    ['https://{region}./', 'fixed name'],
    ['https://user:secret@{region}.api.konghq.com', 'credentials'],
    ['https://{region}@api.konghq.com', 'credentials'],
    ['https://api.konghq.com/?r={region}', 'query'],
    ['https://api.konghq.com/#{region}', 'query'],
    ['https://api.konghq.com\\{region}', 'backslash'],
    ['https://{other}.{region}.konghq.com', 'braces'],
  ])('%s is invalid: %s', (template, problem) => {
    expect(problemWithKonnectURL(template)).toContain(problem);
    expect(problemWithKonnectURL(template)).not.toContain('secret');
    expect(() => hostFor(template, 'us')).toThrow(TypeError);
  });
});

describe('the host of a region', () => {
  test('is the template with the region in it', () => {
    expect(hostFor(defaultKonnectURL, 'global').href).toBe('https://global.api.konghq.com/');
    expect(hostFor('http://127.0.0.1:8080/{region}/', 'eu').href).toBe('http://127.0.0.1:8080/eu/');
  });

  test('is never another one, for any region', () => {
    const pieces = fc.constantFrom(
      'us',
      '.',
      '/',
      '@',
      ':',
      '#',
      '?',
      '\\',
      '%2f',
      'evil.example.com',
      'é',
      '\n',
      '\t',
      ' ',
      '-',
    );
    const hostile = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 5 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(hostile, (region) => {
        expect(hostOrRefusal(region)).toBe(isRegion(region) ? `${region}.api.konghq.com` : 'refused');
      }),
    );
  });
});

function hostOrRefusal(region: string): string {
  try {
    return hostFor(defaultKonnectURL, region).host;
  } catch (error) {
    return error instanceof TypeError ? 'refused' : 'unexpected error';
  }
}
