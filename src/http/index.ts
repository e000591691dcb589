/** Reads requests, and writes answers and errors. */
export { BODY_LIMIT, check, queryOf, readForm, readJson } from './body.js';
export { callerOf, ownKey, requireInvolved, requireOperator, signedIn } from './caller.js';
export { clientAddress } from './client-address.js';
export { duration } from './duration.js';
export { accepted, withProblems, type Handler } from './endpoint.js';
export { eventually } from './eventually.js';
export { fingerprint, idempotencyKey, keyReused } from './idempotency.js';
export {
  invalid,
  notFound,
  Problem,
  problemOf,
  unlessRefused,
  type FieldError,
  type ProblemDetails,
} from './problem.js';
export { resourceRoute, type ResourceRoute } from './resource.js';
export { cutShort, unlessCutShort, streamBody, type StreamedBody } from './stream.js';
export { isVisible, line, personName, text } from './text.js';
