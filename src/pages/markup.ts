/** HTML. Only {@link markup} makes it, so text from outside is always escaped. */
export class Html {
  /** @param source trusted */
  constructor(readonly source: string) {}
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Value = string | number | Html | undefined | readonly Value[];

/**
 * HTML with values in it. Values are text, and escaped; `Html` is kept, lists are joined, and `undefined` is
 * left out.
 *
 * @example markup`<p>${approval.subject}</p>${approval.details && markup`<pre>${approval.details}</pre>`}`
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, index) => part + sourceOf(values[index])).join(''));
}

function sourceOf(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.source;
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!)
    : value.map(sourceOf).join('');
}
