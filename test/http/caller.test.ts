import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callerOf, requireInvolved, signedIn } from '../../src/http/index.js';
import type { HttpRequest } from '@azure/functions';
import { request } from '../support/request.js';

const principal = (value: unknown): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64',
  ),
});
const named = { field: 'by', name: 'mallory' };

describe('the person who acts', () => {
  beforeEach(() => {
    vi.stubEnv('WEBSITE_AUTH_ENABLED', 'True');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

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

  it('is as the record writes it: by name or object id, and addresses in any case', () => {
    const claims = [
      { typ: 'preferred_username', val: 'Kim@contoso.com' },
      { typ: 'http://schemas.microsoft.com/identity/claims/objectidentifier', val: 'id-1' },
    ];
    const signed = request({ headers: principal({ claims }) });
    for (const [people, found] of [
      [['lee', 'kim@contoso.com'], 'kim@contoso.com'],
      [['id-1'], 'id-1'],
      [['ID-1', 'lee'], 'Kim@contoso.com'],
    ] as const) {
      expect(callerOf(signed, named, people)).toBe(found);
    }
    expect(callerOf(request(), { field: 'by', name: 'KIM@contoso.com' }, ['kim@contoso.com'])).toBe(
      'kim@contoso.com',
    );
    expect(callerOf(request(), { field: 'by', name: 'Kim' }, ['kim'])).toBe('Kim');
  });

  it('may see and change records of their own; operators and programs all', () => {
    const of = (value: unknown): HttpRequest => request({ headers: principal(value) });
    const kim = { claims: [{ typ: 'name', val: 'kim' }] };
    const operator = { claims: [...kim.claims, { typ: 'roles', val: 'operator' }] };
    expect(() => requireInvolved(of(kim), ['ana', undefined, 'kim'])).not.toThrow();
    expect(() => requireInvolved(of(kim), ['ana', 'Kim'])).toThrow('You are signed in as kim');
    expect(() => requireInvolved(of(kim), [])).toThrow('somebody else');
    expect(() => requireInvolved(of(operator), ['ana'])).not.toThrow();
    expect(() => requireInvolved(request(), ['ana'])).not.toThrow();
  });

  it('of a program without a name is its object id', () => {
    expect(
      signedIn(request({ headers: principal({ claims: [{ typ: 'oid', val: 'id-2' }] }) })),
    ).toMatchObject({
      name: 'id-2',
    });
  });

  it.each(['', 'False', '0'])(
    'is in no header where nobody is signed in: WEBSITE_AUTH_ENABLED=%s',
    (setting) => {
      vi.stubEnv('WEBSITE_AUTH_ENABLED', setting);
      const forged = request({ headers: principal({ userDetails: 'kim' }) });
      expect(callerOf(forged, named)).toBe('mallory');
      expect(signedIn(forged)).toBeUndefined();
      expect(signedIn(request({ headers: { 'x-ms-client-principal': '////' } }))).toBeUndefined();
    },
  );

  it.each([
    ['text', 'hello'],
    ['no name', { claims: [] }],
    ['an empty name', { userDetails: ' ' }],
    ['null', 'null'],
  ])('cannot be read, with 400, from a principal that is %s', (_, value) => {
    expect(() => callerOf(request({ headers: principal(value) }), named)).toThrow('x-ms-client-principal');
  });
});
