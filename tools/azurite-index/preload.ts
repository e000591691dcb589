/**
 * Loaded into an Azurite before it starts (`node --import`): its tables get an index of both keys, and its
 * stores do less for each request. It changes nothing in an Azurite that it does not know.
 */
import { removeFewOneByOne, updateFewOneByOne, type Batching } from './batches.ts';
import { parseOnce, skipMissingQueries, type Templates, type Utilities } from './requests.ts';
import { serializeWithoutReplacer, type Database } from './serialize.ts';
import { changedFiles, load, replace } from './shape.ts';
import { indexTables, type Filters, type TableStore } from './table-store.ts';

const changed = changedFiles();
if (changed.length > 0) {
  process.stderr.write(
    `Azurite runs without the index of tools/azurite-index, which does not know its ${changed.join(', ')}.\n`,
  );
} else {
  replace<Templates>('uri-templates', parseOnce);
  const store = load<{ default: { prototype: TableStore } }>('table/persistence/LokiTableMetadataStore.js');
  const generator = load<{ default: Omit<Filters, 'parse'> }>(
    'table/persistence/LokiTableStoreQueryGenerator.js',
  );
  const parser = load<{ default: Filters['parse'] }>('table/persistence/QueryInterpreter/QueryParser.js');
  const loki = load<{ prototype: Database; Collection: { prototype: Batching } }>('lokijs');
  const { generateQueryForPersistenceLayer } = generator.default;
  indexTables(store.default.prototype, { generateQueryForPersistenceLayer, parse: parser.default });
  removeFewOneByOne(loki.Collection.prototype);
  updateFewOneByOne(loki.Collection.prototype);
  serializeWithoutReplacer(loki.prototype);
  skipMissingQueries(load<Utilities>('common/utils/utils.js'));
}
