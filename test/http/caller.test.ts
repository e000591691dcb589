import { describe, expect, it } from 'vitest';
import { callerOf } from '../../src/http/index.js';
import { request } from '../support/request.js';

const principal = (value: unknown): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64',
  ),
});
const named = { field: 'by', name: 'mallory' };

describe('the person who acts', () => {
  it('is the one in the request when the platform has signed nobody in', () => {
    expect(callerOf(request(), named)).toBe('mallory');
  });

  it('must be named: otherwise 400', () => {
    expect(() => callerOf(request(), { field: 'by', name: undefined })).toThrow('by: Say who acts');
  });

  it.each([
    [
      'the claim that is the name',
      {
        name_typ: 'n',
        claims: [
          { typ: 'preferred_username', val: 'other' },
          { typ: 'n', val: 'kim@contoso.com' },
        ],
      },
    ],
    [
      'the user name',
      {
        claims: [
          { typ: 'name', val: 'Kim' },
          { typ: 'preferred_username', val: 'kim@contoso.com' },
        ],
      },
    ],
    [
      'the details of Static Web Apps',
      { identityProvider: 'aad', userDetails: 'kim@contoso.com', userRoles: [] },
    ],
  ])('is the one that the platform has signed in, whatever the request names: %s', (_, value) => {
    expect(callerOf(request({ headers: principal(value) }), named)).toBe('kim@contoso.com');
  });

  it.each([
    ['text', 'hello'],
    ['no name', { claims: [] }],
    ['an empty name', { userDetails: ' ' }],
    ['null', 'null'],
  ])('cannot be read, with 400, from a principal that is %s', (_, value) => {
    expect(() => callerOf(request({ headers: principal(value) }), named)).toThrow('x-ms-client-principal');
  });
});
