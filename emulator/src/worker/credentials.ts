/**
 * Hides credentials in the texts of errors, as the Functions host does before a text reaches its log or an
 * instance.
 */

const HIDDEN = '[Hidden Credential]';

/**
 * What comes before a credential, in any case. The host hides everything from there to the next `<` or quote.
 * `PublicKeyToken=` is part of the names of .NET assemblies, and stays.
 */
const CREDENTIAL = new RegExp(
  `(?:${[
    '(?<!PublicKey)Token=',
    'DefaultEndpointsProtocol=http',
    'Data Source=',
    'Server=',
    'Password=',
    'pwd=',
    '[&?]sig=',
    '&amp;sig=',
    '[&?/]code=',
    '&amp;code=',
    // Also AccountKey= and SharedAccessKey=.
    'key=',
  ].join('|')})[^<"']*`,
  'gi',
);

/** A URL with the password of a user. */
const URL_WITH_PASSWORD = /\b[a-z]+:\/\/[^:/\s]+:[^@/\s]+@[^:/\s]+:\d+\b/gi;

export function withoutCredentials(text: string): string {
  return text.replaceAll(CREDENTIAL, HIDDEN).replaceAll(URL_WITH_PASSWORD, HIDDEN);
}
