import moment from 'moment';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { canSign, pathOf, urlOf, verify } from '../../src/links/links.js';

describe('the keys of links', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  const link = {
    page: '/decide',
    id: 'approval-1',
    person: 'kim',
    actions: ['approved'],
    until: '2030-01-02T00:00:00.000Z',
  };
  const now = moment.utc('2030-01-01T00:00:00Z');
  const keys = (current: string, previous: string): void => {
    vi.stubEnv('LINK_KEY', current);
    vi.stubEnv('LINK_KEY_PREVIOUS', previous);
  };
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)];
  const token = (): string => pathOf(link).split('link=')[1]!;

  it('can be changed: links that the previous key has signed are good until it is removed', () => {
    keys(one, '');
    const signed = token();
    expect(verify(signed, '/decide', now)).toEqual(link);
    expect(verify(signed, '/decide', moment.utc(link.until))).toBe('expired');
    keys(two, one);
    expect(verify(signed, '/decide', now)).toEqual(link);
    expect(token()).not.toBe(signed);
    keys(two, '');
    expect(verify(signed, '/decide', now)).toBe('altered');
  });

  it('are made up on local runs only: elsewhere there are no links without one', () => {
    keys('', '');
    vi.stubEnv('AppStorage', 'UseDevelopmentStorage=true');
    expect(canSign()).toBe(true);
    for (const [name, value] of [
      [
        'AppStorage',
        'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b;EndpointSuffix=core.windows.net',
      ],
      ['AppStorage', ''],
      ['WEBSITE_SITE_NAME', 'func-1'],
      ['WEBSITE_INSTANCE_ID', '1'],
    ] as const) {
      vi.stubEnv('AppStorage', 'UseDevelopmentStorage=true');
      vi.stubEnv(name, value);
      expect([name, value, canSign()]).toEqual([name, value, false]);
      vi.stubEnv(name, undefined);
    }
  });

  it('are refused when they are short, or a reference that Azure has not resolved', () => {
    keys('short', '');
    expect(canSign).toThrow('LINK_KEY needs at least 32 characters');
    keys('@Microsoft.KeyVault(VaultName=kv;SecretName=link-key)', '');
    expect(canSign).toThrow('LINK_KEY');
    expect(() => verify('a.b', '/decide', now)).toThrow('LINK_KEY');
  });

  it('give addresses on the origin that is set, or on the host’s own', () => {
    vi.stubEnv('PUBLIC_ORIGIN', '');
    vi.stubEnv('WEBSITE_HOSTNAME', 'func-1.azurewebsites.net');
    expect(urlOf('/decide?link=1')).toBe('https://func-1.azurewebsites.net/decide?link=1');
    vi.stubEnv('WEBSITE_HOSTNAME', 'localhost:7071');
    expect(urlOf('/decide')).toBe('http://localhost:7071/decide');
    vi.stubEnv('PUBLIC_ORIGIN', 'https://approve.contoso.com/');
    expect(urlOf('/decide')).toBe('https://approve.contoso.com/decide');
    vi.stubEnv('PUBLIC_ORIGIN', '');
    vi.stubEnv('WEBSITE_HOSTNAME', '');
    expect(urlOf('/decide')).toBeUndefined();
  });
});
