import { expect, test } from '@jest/globals';
import { reviewAccess } from '../../../src/kube/access-review.ts';
import { KubeError } from '../../../src/kube/errors.ts';

/** An API server that answers both reviews, and the requests that it got. */
function server(answers: { who?: object; may?: object }) {
  const asked: [path: string, body: object][] = [];
  const client = {
    async create<T>(path: string, body: object): Promise<T> {
      asked.push([path, body]);
      return JSON.parse(JSON.stringify({ status: path.endsWith('tokenreviews') ? answers.who : answers.may }));
    },
  };
  return { asked, review: () => reviewAccess(client, { token: 'theirs', path: '/metrics' }) };
}

const user = { username: 'prometheus', uid: 'u', groups: ['g'], extra: { pod: ['p'] } };
const who = { authenticated: true, user };

test('the token is reviewed first, then the access of its owner', async () => {
  const { asked, review } = server({ who, may: { allowed: true } });
  expect(await review()).toBe('allowed');
  expect(asked).toEqual([
    [
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'theirs' } },
    ],
    [
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: 'prometheus',
          uid: 'u',
          groups: ['g'],
          extra: { pod: ['p'] },
          nonResourceAttributes: { path: '/metrics', verb: 'get' },
        },
      },
    ],
  ]);
});

test.each([{}, undefined, { authenticated: false }, { authenticated: false, user }, { user, error: 'expired' }])(
  'a token of no user leads to no second review: %j',
  async (answer) => {
    const { asked, review } = server({ ...(answer === undefined ? {} : { who: answer }), may: { allowed: true } });
    expect(await review()).toBe('unauthenticated');
    expect(asked).toHaveLength(1);
  },
);

test.each([undefined, {}, { allowed: false }, { allowed: true, denied: true }, { allowed: 'yes' }])(
  'who may not: %j',
  async (may) => {
    expect(await server({ who, ...(may === undefined ? {} : { may }) }).review()).toBe('forbidden');
  },
);

test('an answer without a user is an error', async () => {
  await expect(server({ who: { authenticated: true }, may: { allowed: true } }).review()).rejects.toThrow(KubeError);
});
