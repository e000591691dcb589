import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { invalid, type Problem } from './problem.js';
import { personName } from './text.js';

const HEADER = 'x-ms-client-principal';

/** What App Service's authentication puts into the header, in base64; Static Web Apps writes `userDetails` instead of claims. */
const principalSchema = z.object({
  name_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })).nullish(),
  userDetails: z.string().nullish(),
});

/** Where a name is looked for when the principal does not say which claim holds it, best first. */
const nameClaims = [
  'preferred_username',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  'name',
];

/**
 * Who acts: whom the platform signed in, when it says so; else the name in the request, for which the holder of the
 * function key vouches.
 *
 * @param named the name in the request, and in which field it was
 * @throws {Problem} 400 when neither names anybody, or the header is not one of the platform's
 */
export function callerOf(request: HttpRequest, named: { field: string; name: string | undefined }): string {
  const header = request.headers.get(HEADER);
  if (header !== null) {
    return signedIn(header);
  }
  if (named.name === undefined) {
    throw invalid([{ field: named.field, message: 'Say who acts' }]);
  }
  return named.name;
}

function signedIn(header: string): string {
  const { name_typ: nameType, claims, userDetails } = parse(header);
  const claim = [nameType, ...nameClaims]
    .map((type) => claims?.find(({ typ }) => typ === type)?.val)
    .find((value) => value !== undefined);
  const name = personName.safeParse(claim ?? userDetails);
  if (!name.success) {
    throw malformed();
  }
  return name.data;
}

function parse(header: string): z.infer<typeof principalSchema> {
  try {
    return principalSchema.parse(JSON.parse(Buffer.from(header, 'base64').toString('utf8')));
  } catch {
    throw malformed();
  }
}

function malformed(): Problem {
  return invalid([{ field: HEADER, message: 'It is not a principal with a name, as JSON in base64' }]);
}
