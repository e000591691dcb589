/** Route templates as Azure Functions reads them, and the order in which it tries them. */
import { describe, expect, test } from 'vitest';
import { pathSegments } from '../src/http-text.js';
import { Route, Router, RouteTemplateError } from '../src/triggers/http-routes.js';

function match(template: string, path: string): Record<string, string> | undefined {
  return new Route(template, ['GET'], undefined).match(pathSegments(path));
}

test.each<[template: string, path: string, values: Record<string, string> | undefined]>([
  // literals
  ['api/approvals', '/api/approvals', {}],
  ['api/approvals', '/API/Approvals', {}],
  ['api/approvals', '/api/approvals/', {}],
  ['api/approvals', '/api/approvals//', undefined],
  ['api/approvals', '/api', undefined],
  ['api/approvals', '/api/approvals/1', undefined],
  ['api/my page', '/api/my%20page', {}],
  ['api/a+b.c', '/api/a+b.c', {}],
  ['api/a.c', '/api/abc', undefined],
  ['/leading', '/leading', {}],
  // parameters
  ['api/{id}', '/api/5', { id: '5' }],
  ['api/{id}', '/api/', undefined],
  ['api/{id}', '/api', undefined],
  ['api/{id}', '/api/a%20b', { id: 'a b' }],
  ['api/{id}', '/api/a%2Fb', { id: 'a%2Fb' }],
  ['api/{id}', '/api/%C3%BC%25', { id: 'ü%' }],
  ['api/{id}', '/api/a+b', { id: 'a+b' }],
  ['api/{id}', '/api/a%zz', { id: 'a%zz' }],
  ['api/{id}', '/api/%C3%28%E2%82%AC%FC', { id: '%C3(€%FC' }],
  ['api/{id}/decision', '/api/7/Decision', { id: '7' }],
  ['api/{id}/decision', '/api//decision', undefined],
  // optional parameters and defaults
  ['api/{id?}', '/api', {}],
  ['api/{id?}', '/api/', {}],
  ['api/{id?}', '/api/5', { id: '5' }],
  ['api/{a}/{b?}', '/api/1', { a: '1' }],
  ['api/{day=today}', '/api', { day: 'today' }],
  ['api/{day=today}', '/api/monday', { day: 'monday' }],
  ['api/{n:int=3}', '/api', { n: '3' }],
  ['api/{n:length(2)=ab}', '/api', { n: 'ab' }],
  ['api/{a=1}/{b}', '/api/x', undefined],
  ['api/{a=1}/end', '/api/end', undefined],
  // catch-alls
  ['assets/{*file}', '/assets/a/b.js', { file: 'a/b.js' }],
  ['assets/{*file}', '/assets', {}],
  ['assets/{*file}', '/assets//', undefined],
  ['assets/{*file}', '/assets//a', undefined],
  ['assets/{*file}', '/assets/a//b', { file: 'a//b' }],
  ['assets/{*file}', '/assets/a/', { file: 'a/' }],
  ['assets/{**file}', '/assets/a%20b/c', { file: 'a b/c' }],
  ['assets/{*file=index.html}', '/assets', { file: 'index.html' }],
  // several parts in a segment
  ['files/{name}.{extension}', '/files/a.tar.gz', { name: 'a.tar', extension: 'gz' }],
  ['files/{name}.{extension?}', '/files/readme', { name: 'readme' }],
  ['files/{name}.{extension?}', '/files/readme.md', { name: 'readme', extension: 'md' }],
  ['files/{name}.{extension?}', '/files/readme.', undefined],
  ['files/v{version:int}', '/files/V12', { version: '12' }],
  ['files/v{version:int}', '/files/vx', undefined],
  // the root
  ['{ignored:maxlength(0)?}', '/', {}],
  ['{ignored:maxlength(0)?}', '/x', undefined],
  // constraints
  ['{n:int}', '/-12', { n: '-12' }],
  ['{n:int}', '/2147483648', undefined],
  ['{n:int}', '/1.5', undefined],
  ['{n:int?}', '/', {}],
  ['{n:long}', '/9223372036854775807', { n: '9223372036854775807' }],
  ['{n:long}', '/9223372036854775808', undefined],
  ['{b:bool}', '/TRUE', { b: 'TRUE' }],
  ['{b:bool}', '/yes', undefined],
  ['{g:guid}', '/0F8FAD5B-D9CB-469F-A165-70867728950E', { g: '0F8FAD5B-D9CB-469F-A165-70867728950E' }],
  ['{g:guid}', '/0f8fad5bd9cb469fa16570867728950e', { g: '0f8fad5bd9cb469fa16570867728950e' }],
  ['{g:guid}', '/0f8fad5b', undefined],
  ['{a:alpha}', '/abcXYZ', { a: 'abcXYZ' }],
  ['{a:alpha}', '/abc1', undefined],
  ['{d:datetime}', '/2020-01-01T10:00:00Z', { d: '2020-01-01T10:00:00Z' }],
  ['{d:datetime}', '/12-31-2020', { d: '12-31-2020' }],
  ['{d:datetime}', '/10:00', { d: '10:00' }],
  ['{d:datetime}', '/10am', { d: '10am' }],
  ['{d:datetime}', '/24:00', undefined],
  ['{d:datetime}', '/2020-02-30', undefined],
  ['{d:datetime}', '/2020', undefined],
  ['{d:datetime}', '/5', undefined],
  ['{s:length(3)}', '/abc', { s: 'abc' }],
  ['{s:length(3)}', '/abcd', undefined],
  ['{s:length(2,3)}', '/ab', { s: 'ab' }],
  ['{s:length(2,3)}', '/a', undefined],
  ['{s:minlength(2)}', '/a', undefined],
  ['{s:minlength(2)}', '/ab', { s: 'ab' }],
  ['{s:maxlength(2)}', '/abc', undefined],
  ['{n:min(3)}', '/3', { n: '3' }],
  ['{n:min(3)}', '/2', undefined],
  ['{n:max(3)}', '/4', undefined],
  ['{n:range(1,10)}', '/10', { n: '10' }],
  ['{n:range(1,10)}', '/11', undefined],
  ['{n:range(1,10)}', '/x', undefined],
  ['{s:regex(^\\d{{3}}$)}', '/123', { s: '123' }],
  ['{s:regex(^(a|b:c)$)}', '/B:C', { s: 'B:C' }],
  ['{s:regex(^x)}', '/ax', undefined],
  ['{n:int:min(5)}', '/4', undefined],
  ['{n:int:min(5)}', '/5', { n: '5' }],
  ['{d:double}', '/1.5e3', { d: '1.5e3' }],
  ['{d:datetime}', '/2026-11-21', { d: '2026-11-21' }],
  ['{d:datetime}', '/soon', undefined],
])('the route %s on the path %s gives %o', (template, path, values) => {
  expect(match(template, path)).toEqual(values);
});

test.each([
  ['api//x', 'two slashes'],
  ['api/{id', "'{' without"],
  ['api/id}', "'}' without"],
  ['api/{*rest}/x', 'last segment'],
  ['api/{id:nosuch}', 'nosuch'],
  ['api/{id:length(x)}', 'length(x)'],
  ['api/{id:regex(()}', 'regex(()'],
  ['api/{id=1?}', 'optional and has a default'],
  ['api/{}', 'not a route parameter'],
  ['api/{id}/{ID?}', 'twice'],
])('the route %s is refused, and the message says why', (template, why) => {
  expect(() => new Route(template, ['GET'], undefined)).toThrow(RouteTemplateError);
  expect(() => new Route(template, ['GET'], undefined)).toThrow(why);
});

function router(functions: Record<string, [template: string, ...methods: string[]]>): Router<string> {
  const made = new Router<string>();
  for (const [name, [template, ...methods]] of Object.entries(functions))
    made.add(name, new Route(template, methods.length === 0 ? ['GET'] : methods, name));
  return made;
}
function reached(from: Router<string>, method: string, path: string): string | undefined {
  return from.find(method, pathSegments(path))?.target;
}

describe('among several functions', () => {
  test('the first one by name with a matching template answers, even when another is more specific', () => {
    const list = { list: ['products/list'], Details: ['products/{id}'] } satisfies Record<string, [string]>;
    expect(reached(router(list), 'GET', '/products/list')).toBe('Details');
    expect(reached(router({ ...list, All: ['products/list'] }), 'GET', '/products/list')).toBe('All');
  });

  test('methods are part of the match, so several functions may share a path', () => {
    const both = router({ Get: ['orders/{id}', 'GET'], Delete: ['orders/{id}', 'DELETE'] });
    expect(reached(both, 'GET', '/orders/1')).toBe('Get');
    expect(reached(both, 'DELETE', '/orders/1')).toBe('Delete');
    expect(reached(both, 'PATCH', '/orders/1')).toBeUndefined();
  });

  test('a path that violates a constraint goes to the next function', () => {
    const both = router({ ById: ['orders/{id:int}'], ByName: ['orders/{name}'] });
    expect(reached(both, 'GET', '/orders/5')).toBe('ById');
    expect(reached(both, 'GET', '/orders/five')).toBe('ByName');
  });

  test('a route that another one hides is found, so that the log can name it', () => {
    const found = [
      ...router({
        List: ['products/list', 'GET', 'POST'],
        Details: ['products/{id}', 'POST'],
        Other: ['other'],
      }).shadowed(),
    ];
    expect(found).toEqual([
      { route: expect.objectContaining({ target: 'List' }) as unknown, method: 'POST', by: 'Details' },
    ]);
  });
});

/** By constraint: values that ASP.NET Core's routing accepts, and values that it does not. None has a slash or a dot. */
const CONSTRAINTS: Readonly<Record<string, [accepted: string[], refused: string[]]>> = {
  int: [
    ['0', '-12', '+7', ' 5 ', '2147483647'],
    ['x', '1e3', '2147483648', '1 2', '0x10', '٣'],
  ],
  long: [
    ['9223372036854775807', '-1'],
    ['9223372036854775808', 'one'],
  ],
  bool: [
    ['true', 'FALSE', ' True '],
    ['1', 'yes', 'truee'],
  ],
  guid: [
    [
      '0f8fad5b-d9cb-469f-a165-70867728950e',
      '0F8FAD5BD9CB469FA16570867728950E',
      '{0f8fad5b-d9cb-469f-a165-70867728950e}',
    ],
    ['0f8fad5b', '0f8fad5b-d9cb-469f-a165-70867728950', 'g'],
  ],
  alpha: [
    ['abc', 'XyZ'],
    ['a1', 'a-b', 'é', ' a'],
  ],
  decimal: [
    ['1', '-1', '1-', '1,000'],
    ['x', '1e3', '79228162514264337593543950336'],
  ],
  double: [
    ['1', '-1e3', 'NaN', 'Infinity'],
    ['x', '1-'],
  ],
  float: [['1', '1e-3'], ['one']],
  datetime: [['2026-11-27'], ['someday', 'x']],
  'length(2)': [
    ['ab', '12'],
    ['a', 'abc'],
  ],
  'length(2,3)': [
    ['ab', 'abc'],
    ['a', 'abcd'],
  ],
  'minlength(2)': [['ab', 'abc'], ['a']],
  'maxlength(2)': [['a', 'ab'], ['abc']],
  'min(3)': [
    ['3', '99'],
    ['2', 'x'],
  ],
  'max(3)': [
    ['3', '-9'],
    ['4', 'x'],
  ],
  'range(2,4)': [
    ['2', '4'],
    ['1', '5', 'x'],
  ],
  'regex(^a+b$)': [
    ['ab', 'AAB'],
    ['b', 'abc'],
  ],
  'regex(^\\d{{2}}$)': [['12'], ['1', '123']],
  required: [['x', ' '], []],
  'int:min(5)': [['5'], ['4', 'x']],
  'alpha:length(2)': [['ab'], ['abc', '12']],
};

/** Where a constraint can be in a route, with a path that has the value there. */
const PLACES: readonly [template: (parameter: string) => string, path: (value: string) => string][] = [
  [(parameter) => `api/{${parameter}}`, (value) => `/api/${value}`],
  [(parameter) => `api/{${parameter}?}`, (value) => `/api/${value}`],
  [(parameter) => `api/{${parameter}}/end`, (value) => `/api/${value}/end`],
  [(parameter) => `{${parameter}}/{next}`, (value) => `/${value}/x`],
  [(parameter) => `api/{first}/{${parameter}}`, (value) => `/api/x/${value}`],
  [(parameter) => `api/{first:alpha}/{${parameter}}/{last:int}`, (value) => `/api/x/${value}/1`],
  [(parameter) => `api/{${parameter}}/{*rest}`, (value) => `/api/${value}/a/b`],
  [(parameter) => `api/{${parameter}}/{*rest}`, (value) => `/api/${value}`],
  [(parameter) => `api/{first:alpha}/{${parameter}}/{**rest}`, (value) => `/api/x/${value}/a`],
  [(parameter) => `api/{*${parameter}}`, (value) => `/api/${value}`],
  [(parameter) => `api/{first:int}/{*${parameter}}`, (value) => `/api/1/${value}`],
  [(parameter) => `api/v{${parameter}}`, (value) => `/api/v${value}`],
  [(parameter) => `api/{${parameter}}.{extension}`, (value) => `/api/${value}.txt`],
  [(parameter) => `api/{name}.{${parameter}}/{*rest}`, (value) => `/api/a.${value}/b`],
];

test('a constraint holds in every place of a route', () => {
  const different: unknown[] = [];
  for (const [constraint, [accepted, refused]] of Object.entries(CONSTRAINTS)) {
    for (const [template, path] of PLACES) {
      for (const value of [...accepted, ...refused]) {
        const found = match(template(`value:${constraint}`), path(encodeURIComponent(value)));
        if ((found?.['value'] === value) !== accepted.includes(value))
          different.push([template(`value:${constraint}`), path(value), found]);
      }
    }
  }
  expect(different).toEqual([]);
});

test('a constraint holds for a default, and not for an optional parameter that is left out', () => {
  for (const constraint of Object.keys(CONSTRAINTS)) {
    expect([constraint, match(`api/{value:${constraint}?}`, '/api')]).toEqual([constraint, {}]);
    const [accepted, refused] = CONSTRAINTS[constraint]!;
    if (constraint.startsWith('regex')) continue;
    const defaults = [...accepted, ...refused].filter((value) => !/[{}]/.test(value));
    for (const value of defaults)
      expect([constraint, value, match(`api/{value:${constraint}=${value}}`, '/api') !== undefined]).toEqual([
        constraint,
        value,
        accepted.includes(value),
      ]);
  }
});

test('a file has an extension', () => {
  expect(match('{*path:file}', '/a/b.js')).toEqual({ path: 'a/b.js' });
  expect(match('{*path:nonfile}', '/a.b/c')).toEqual({ path: 'a.b/c' });
  expect(match('{*path:nonfile}', '/a/b.js')).toBeUndefined();
});

test('a route whose constraints fail leaves the path to the next one', () => {
  const routes = new Router<string>();
  routes.add('assets', new Route('api/assets/{line:alpha:length(2)}/{*path}', ['GET'], 'assets'));
  routes.add('files', new Route('api/files/{id:int}/{*rest}', ['GET'], 'files'));
  routes.add('zFallback', new Route('api/files/{name}/{*rest}', ['GET'], 'fallback'));
  const found = (path: string): string | undefined => routes.find('GET', pathSegments(path))?.target;
  expect(found('/api/files/abc/a')).toBe('fallback');
  expect(found('/api/files/12/a')).toBe('files');
  expect(found('/api/assets/abc/x')).toBeUndefined();
  expect(found('/api/assets/12/x')).toBeUndefined();
  expect(found('/api/assets/ab/x')).toBe('assets');
});
