import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { invalid, type Problem } from './problem.js';
import { personName } from './text.js';

const HEADER = 'x-ms-client-principal';

/**
 * The header's content, decoded from base64. App Service's authentication writes claims, Static Web Apps
 * writes `userDetails`.
 */
const principalSchema = z.object({
  name_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })).nullish(),
  userDetails: z.string().nullish(),
});

/** The claims that can hold the name, best first, for principals that do not name the claim. */
const nameClaims = [
  'preferred_username',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
  'name',
];

/**
 * The person who acts: the one that the platform has signed in, or else the one that the request names. The
 * program that holds the function key vouches for that name.
 *
 * @param named the name in the request, and its field
 * @throws {Problem} 400 when neither names a person, or the header is malformed
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
