/** Route templates as Azure Functions reads them, and the order in which it tries them. */
import { describe, expect, test } from 'vitest';
import { pathSegments, Route, Router, RouteTemplateError } from '../src/triggers/http-routes.js';

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
  ['assets/{*file}', '/assets/a/', { file: 'a/' }],
  ['assets/{**file}', '/assets/a%20b/c', { file: 'a b/c' }],
  ['assets/{*file=index.html}', '/assets', { file: 'index.html' }],
  // several parts in a segment
  ['files/{name}.{extension}', '/files/a.tar.gz', { name: 'a.tar', extension: 'gz' }],
  ['files/{name}.{extension?}', '/files/readme', { name: 'readme' }],
  ['files/{name}.{extension?}', '/files/readme.md', { name: 'readme', extension: 'md' }],
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
