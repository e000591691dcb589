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
    headers: { 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' },
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

it('storage or a hub that is not there, or answers too late, is 503 with Retry-After', async () => {
  for (const failure of [
    { name: 'AbortError' },
    { name: 'RestError', code: 'REQUEST_SEND_ERROR' },
    { name: 'RestError', statusCode: 503 },
  ]) {
    const error = Object.assign(new Error('storage'), failure);
    expect((await answer(() => Promise.reject(error))).response).toMatchObject({
      status: 503,
      headers: { 'Retry-After': '10' },
    });
  }
  // The SDK has no kind of error for a hub that fails.
  const hub = new Error('The operation failed with an unexpected status code: 500. Details: ""');
  expect((await answer(() => Promise.reject(hub))).response).toMatchObject({
    status: 503,
    headers: { 'Retry-After': '10' },
  });
  const refused = Object.assign(new Error('storage'), { name: 'RestError', statusCode: 403 });
  expect((await answer(() => Promise.reject(refused))).response).toMatchObject({ status: 500 });
});

it('no answer is kept by a cache, unless its endpoint says so', async () => {
  const { response } = await answer(() => Promise.resolve({ jsonBody: {} }));
  expect(response.headers).toEqual({ 'Cache-Control': 'no-store' });
  const kept = { headers: { 'Cache-Control': 'max-age=60' } };
  expect((await answer(() => Promise.resolve(kept))).response.headers).toEqual(kept.headers);
});

it('a 202 has Location and Retry-After', () => {
  expect(accepted('/api/things/1', { id: 1 })).toEqual({
    status: 202,
    headers: { Location: '/api/things/1', 'Retry-After': '5' },
    jsonBody: { id: 1 },
  });
});
