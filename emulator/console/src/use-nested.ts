import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Instance, Row } from '../../../web/timeline/index.js';
import { get, instancePath, type InstanceView } from './api.js';
import { timelineOf } from './shown.js';

/** The sub-orchestrations that are shown inside of a timeline. They are read again when the timeline changes. */
export function useNested(timeline: Instance): {
  nested: ReadonlyMap<string, Instance>;
  onToggle: (row: Row, expand: boolean) => void;
} {
  const [nested, setNested] = useState<ReadonlyMap<string, Instance>>(new Map());
  const read = useCallback((key: string, instanceId: string): void => {
    get<InstanceView>(instancePath(instanceId)).then(
      (view) => setNested((before) => new Map(before).set(key, timelineOf(view))),
      // It was purged: there is nothing to show.
      () => {},
    );
  }, []);
  useEffect(() => {
    for (const [key, { instanceId }] of nested) read(key, instanceId);
  }, [timeline]);
  const onToggle = useCallback((row: Row, expand: boolean): void => {
    if (expand) {
      if (row.instanceId !== undefined) read(row.key, row.instanceId);
    } else
      setNested(
        (before) => new Map([...before].filter(([key]) => key !== row.key && !key.startsWith(`${row.key}/`))),
      );
  }, []);
  return { nested, onToggle };
}
