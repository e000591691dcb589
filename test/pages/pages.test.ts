import { request as send } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { PagesNotBuilt, Site } from '../../src/pages/site.js';
import { useApp } from '../support/app.js';

const built = new URL('../../dist/web/', import.meta.url);
const shared = useApp();
let site: Site;
let script: string;
let style: string;

beforeAll(async () => {
  site = await Site.open(built);
  script = asset(/dungeon-.*\.js$/);
  style = asset(/dungeon-.*\.css$/);
});

const asset = (name: RegExp): string => `/${site.paths.find((path) => name.test(path))}`;
const plain = async (path: string): Promise<string> => {
  const file = site.find(path.slice(1), () => false);
  return Buffer.from((await file?.bytes()) ?? []).toString();
};

describe('a page', () => {
  it.each([
    ['/', 'Durable workflows'],
    ['/ingestions', 'Ingestion of sales'],
    ['/inbox', 'Inbox'],
    ['/approvals/new', 'Request an approval'],
    ['/outbox', 'Outbox'],
    ['/operations', 'Operations'],
    ['/devices', 'Devices and rollouts'],
    ['/dungeon', 'The Durable Dungeon'],
    ['/dungeon/', 'The Durable Dungeon'],
  ])('is served at %s', async (path, title) => {
    const { app } = shared();
    const answer = await app.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await answer.text()).toContain(`<title>${title}</title>`);
  });

  it('is revalidated at each use, and not sent again while it is unchanged', async () => {
    const { app } = shared();
    const first = await app.get('/dungeon');
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe('no-cache');

    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await app.get('/dungeon', { 'if-none-match': tag });
      expect([tag, again.status, await again.text()]).toEqual([tag, 304, '']);
      expect(again.headers.get('etag')).toBe(etag);
    }
    expect((await app.get('/dungeon', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('allows only its own scripts, and no frames', async () => {
    const { app } = shared();
    for (const path of ['/', '/dungeon', '/ingestions', script]) {
      const { headers } = await app.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      for (const directive of [
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ]) {
        expect(policy.split('; ')).toContain(directive);
      }
      expect(policy).not.toContain('unsafe');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    }
  });

  it('has no script or style of its own between its tags', async () => {
    for (const page of ['/index.html', '/dungeon.html', '/ingestions.html']) {
      const html = await plain(page);
      expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/i);
    }
  });
});

describe('an asset', () => {
  it('may be kept for a year, because its name changes with its content', async () => {
    const { app } = shared();
    for (const path of site.paths.filter((name) => name.startsWith('assets/'))) {
      const answer = await app.get(`/${path}`);
      expect(path).toMatch(/-[\w-]{8}\.\w+$/);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    }
  });

  it('comes with its type', async () => {
    const { app } = shared();
    const types = await Promise.all(
      [script, style, asset(/\.svg$/)].map(async (path) => (await app.get(path)).headers.get('content-type')),
    );
    expect(types).toEqual([
      'text/javascript; charset=utf-8',
      'text/css; charset=utf-8',
      'image/svg+xml; charset=utf-8',
    ]);
  });

  it.each([
    [undefined, null],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['BR', 'br'],
    ['*', 'br'],
    ['*;q=0', null],
    ['identity, gzip; q=0', null],
    ['deflate', null],
  ])('for Accept-Encoding %s is encoded as %s', async (accepted, encoding) => {
    const { app } = shared();
    const answer = await app.get(script, accepted === undefined ? {} : { 'accept-encoding': accepted });
    expect(answer.headers.get('content-encoding')).toBe(encoding);
    expect(answer.headers.get('vary')).toBe('Accept-Encoding');
    const bytes = Buffer.from(await answer.arrayBuffer());
    const text =
      encoding === 'br' ? brotliDecompressSync(bytes) : encoding === 'gzip' ? gunzipSync(bytes) : bytes;
    expect(text.toString()).toBe(await plain(script));
  });

  it('has a tag for each encoding', async () => {
    const { app } = shared();
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (encoding) =>
        (await app.get(script, { 'accept-encoding': encoding })).headers.get('etag'),
      ),
    );
    expect(new Set(tags).size).toBe(3);
    expect(
      (await app.get(script, { 'accept-encoding': 'gzip', 'if-none-match': tags[0] ?? '' })).status,
    ).toBe(200);
  });

  it('answers HEAD as GET, without the body', async () => {
    const { app } = shared();
    for (const path of ['/', '/dungeon', script]) {
      const [head, get] = await Promise.all([
        fetch(app.url + path, { method: 'HEAD' }),
        fetch(app.url + path),
      ]);
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
      for (const name of [
        'etag',
        'content-type',
        'content-length',
        'cache-control',
        'content-security-policy',
      ]) {
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      }
    }
  });

  it('is 404 with a problem when there is none', async () => {
    const { app } = shared();
    const answer = await app.get('/assets/dungeon.js');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
  });
});

it.each([
  '/assets/../files.json',
  '/assets/..%2ffiles.json',
  '/assets/%2e%2e/files.json',
  '/assets/..%5cfiles.json',
  '/assets/../../package.json',
  '/assets/..%2f..%2fpackage.json',
  '/assets//etc/passwd',
  '/assets/%2fetc%2fpasswd',
  '/assets/',
  '/assets/__proto__',
  '/assets/constructor',
])('nothing lies behind %s', async (path) => {
  const { app } = shared();
  expect(await status(app, path)).toBe(404);
});

it('the host refuses a path with a null character', async () => {
  const { app } = shared();
  expect(await status(app, '/assets/%00')).toBe(400);
});

describe('the host', () => {
  it('keeps its own routes', async () => {
    const { app } = shared();
    expect(await (await app.get('/admin/host/status')).json()).toMatchObject({ state: 'Running' });
    expect(await (await app.get('/runtime/webhooks/durabletask/instances')).json()).toEqual([]);
    expect((await app.get('/nothing/here')).status).toBe(404);
  });

  it('refuses to change a page', async () => {
    const { app } = shared();
    expect((await app.post('/dungeon', {})).status).toBeGreaterThanOrEqual(404);
  });
});

it('says how to build the pages when they are not built', async () => {
  await expect(Site.open(new URL('nowhere/', built))).rejects.toThrow(PagesNotBuilt);
  await expect(Site.open(new URL('nowhere/', built))).rejects.toThrow('npm run build:web');
});

/** Sends a path as it is: fetch and URL would have resolved its dots. */
function status(app: TestApp, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(app.url);
  return new Promise((resolve, reject) => {
    const sent = send({ hostname, port, path }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    sent.end();
  });
}
