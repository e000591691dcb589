import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientAddress } from '../../src/http/index.js';
import { request } from '../support/request.js';

describe('the address of a client', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7:51342', '203.0.113.7'],
    ['10.0.0.1, 203.0.113.7:51342', '203.0.113.7'],
    ['whatever the client sent,203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['[2001:db8:1:2:3:4:5:6]:51342', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['', 'unknown'],
    ['x', 'unknown'],
    ['999.0.0.1', 'unknown'],
  ])('in %j is %j', (header, address) => {
    expect(clientAddress(request({ headers: { 'x-forwarded-for': header } }))).toBe(address);
  });

  it('is not known where no front end is', () => {
    expect(clientAddress(request())).toBeUndefined();
  });

  it('is the entry before the last behind two proxies', () => {
    vi.stubEnv('TrustedProxies', '2');
    const headers = { 'x-forwarded-for': '192.0.2.1, 203.0.113.7, 198.51.100.1:443' };
    expect(clientAddress(request({ headers }))).toBe('203.0.113.7');
  });
});
