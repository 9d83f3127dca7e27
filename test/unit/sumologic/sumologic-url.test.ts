import { describe, expect, test } from '@jest/globals';
import {
  defaultSumoLogicURL,
  deploymentIn,
  problemWithSumoLogicURL,
  sumoLogicURLFor,
} from '../../../src/sumologic/sumologic-url.ts';

describe('the URL of a deployment', () => {
  test.each([
    [defaultSumoLogicURL, 'us1', 'https://api.sumologic.com/api/v1/'],
    [defaultSumoLogicURL, 'us2', 'https://api.us2.sumologic.com/api/v1/'],
    ['https://proxy.example.com/sumo/', 'eu', 'https://proxy.example.com/sumo/api/v1/'],
    ['http://127.0.0.1:8443', 'us1', 'http://127.0.0.1:8443/api/v1/'],
  ])('of %s and %s is %s', (template, deployment, url) => {
    expect(sumoLogicURLFor(template, deployment).href).toBe(url);
  });

  test.each(['', 'US2', 'us2.evil.example.com', 'us2/', 'a', 'a23456789012345x'])(
    'is never made of the deployment "%s"',
    (deployment) => {
      expect(() => sumoLogicURLFor(defaultSumoLogicURL, deployment)).toThrow(TypeError);
    },
  );

  test.each([
    ['https://api.{deployment}.{deployment}.com', /at most once/],
    ['https://{deployment}.sumologic.com', /in its host/],
    ['https://api.{deployment}', /in its host/],
    ['https://api.sumologic.com/{deployment}', /in its host/],
    ['https://api.{region}.sumologic.com', /other braces/],
    ['https://api.sumologic.com?x', /no query/],
    ['sumologic', /must be a URL/],
    ['https://user:password@api.sumologic.com', /no credentials/],
    ['http://api.sumologic.com', /must be https/],
    ['https://api.sumologic.com/api/v1', /end before/],
    ['https://api.sumologic.com/api/v1/', /end before/],
  ])('template %s is refused', (template, problem) => {
    expect(problemWithSumoLogicURL(template)).toMatch(problem);
    expect(() => sumoLogicURLFor(template, 'us2')).toThrow(TypeError);
  });
});

describe('the deployment of a redirect', () => {
  test.each([
    ['https://api.us2.sumologic.com/api/v1/search/jobs', 'us2'],
    ['https://api.sumologic.com/', 'us1'],
    ['https://api.us2.sumologic.com.evil.example.com/', undefined],
    ['https://evil.example.com/api.us2.sumologic.com', undefined],
    ['/api/v1', undefined],
    [undefined, undefined],
  ])('to %s is %s', (location, deployment) => {
    expect(deploymentIn(location)).toBe(deployment);
  });
});
