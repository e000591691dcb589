import { nameOf, type Total } from '../sales/index.js';
import type { Ingestion } from './model.js';

/** The results as JSON, written in parts: totals by store and by sku, each ordered by name. */
export async function* resultsJson(
  { id, lines, rejected }: Ingestion,
  totals: AsyncIterable<Total[]>,
): AsyncGenerator<string> {
  yield `{"ingestion":${JSON.stringify(id)},"lines":${lines},"rejected":${rejected},"byStore":[`;
  let [current, separator] = ['store', ''];
  for await (const block of totals) {
    let text = '';
    for (const [key, count, quantity, amount] of block) {
      const { dimension, name } = nameOf(key);
      if (dimension !== current) {
        text += '],"bySku":[';
        [current, separator] = [dimension, ''];
      }
      text += `${separator}\n${JSON.stringify({ [dimension]: name, lines: count, quantity, amount })}`;
      separator = ',';
    }
    yield text;
  }
  yield current === 'store' ? '],"bySku":[]}\n' : ']}\n';
}
