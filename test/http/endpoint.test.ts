import { expect, it } from 'vitest';
import { accepted, invalid, problemOf } from '../../src/http/index.js';
import { refuse, TryLaterError } from '../../src/refusals/index.js';
import { answer } from '../support/request.js';

it('a thrown problem becomes the answer, as problem+json with a detail', async () => {
  const { response } = await answer(() =>
    Promise.reject(problemOf(refuse('over', 'It is over', 'Start anew.'))),
  );
  expect(response).toEqual({
    status: 409,
    headers: { 'Content-Type': 'application/problem+json' },
    jsonBody: { type: 'urn:problem:over', title: 'It is over', status: 409, detail: 'Start anew.' },
  });
});

it('the answer names the field that is wrong', async () => {
  const { response } = await answer(() => Promise.reject(invalid([{ field: 'to', message: 'Who?' }])));
  expect(response).toMatchObject({ status: 400, jsonBody: { errors: [{ field: 'to', message: 'Who?' }] } });
});

it('an unexpected error is logged, and the caller gets only the invocation id', async () => {
  const error = new Error('the password is 1234');
  const { response, logged } = await answer(() => Promise.reject(error));
  expect(response).toMatchObject({ status: 500, jsonBody: { type: 'urn:problem:internal' } });
  expect(JSON.stringify(response)).toContain('the-invocation');
  expect(JSON.stringify(response)).not.toContain('1234');
  expect(logged).toContain(error);
});

it('a temporary refusal and a temporary failure have Retry-After', async () => {
  const tooMany = problemOf(refuse('too-many', 'You have five games', 'End one.', { retryAfter: 60 }));
  expect((await answer(() => Promise.reject(tooMany))).response).toMatchObject({
    status: 429,
    headers: { 'Retry-After': '60' },
  });
  expect(
    (await answer(() => Promise.reject(new TryLaterError('Everybody writes it')))).response,
  ).toMatchObject({
    status: 503,
    headers: { 'Retry-After': '1' },
    jsonBody: { type: 'urn:problem:try-later' },
  });
});

it('a 202 has Location and Retry-After', () => {
  expect(accepted('/api/things/1', { id: 1 })).toEqual({
    status: 202,
    headers: { Location: '/api/things/1', 'Retry-After': '5' },
    jsonBody: { id: 1 },
  });
});
