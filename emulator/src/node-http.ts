/**
 * Node's HTTP without its `fetch`. An `import` of `node:http` reads each of its exports, and one of them loads
 * `fetch`: some 40 ms of processor time, for every test process.
 */
export const http = process.getBuiltinModule('node:http');
