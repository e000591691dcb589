import type { FSWatcher } from 'node:fs';
import { readdirSync, watch } from 'node:fs';
import path from 'node:path';

/** A build writes many files. A change is reported when no other follows for so many milliseconds. */
const SETTLED = 250;

/** The files beside the app's code that are read at the start. */
const READ_AT_START: ReadonlySet<string> = new Set(['host.json', 'local.settings.json', 'package.json']);

/**
 * Watches the files of an app: its JavaScript, except in `node_modules` and hidden folders, and its settings.
 * @param directory an absolute path
 * @param changed called with the path of a changed file, once for many changes at a time
 * @returns a function that stops watching
 */
export function watchAppFiles(directory: string, changed: (file: string) => void): () => void {
  // Each folder has a watcher, because a recursive watcher would watch all of node_modules.
  const watchers = new Map<string, FSWatcher>();
  let settling: NodeJS.Timeout | undefined;

  const notice = (file: string): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      changed(file);
    }, SETTLED);
  };
  const unwatch = (folder: string): void => {
    for (const [watched, watcher] of watchers) {
      if (watched !== folder && !watched.startsWith(folder + path.sep)) continue;
      watcher.close();
      watchers.delete(watched);
    }
  };
  const matters = (file: string): boolean =>
    /\.[cm]?js$/.test(file) || (path.dirname(file) === directory && READ_AT_START.has(path.basename(file)));
  const onEvent = (file: string, event: string): void => {
    if (isLeftOut(path.basename(file))) return;
    if (matters(file)) {
      notice(file);
    } else if (event === 'rename') {
      // Perhaps a folder was created, deleted, or created again with the same name.
      unwatch(file);
      watchFolder(file, true);
    }
  };
  /** @param isNew whether files may have been written into it before it was watched */
  const watchFolder = (folder: string, isNew: boolean): void => {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      watchers.set(
        folder,
        watch(folder, (event, name) => {
          if (name !== null) onEvent(path.join(folder, name), event);
        }).on('error', () => {
          unwatch(folder);
        }),
      );
      for (const entry of entries) {
        const full = path.join(folder, entry.name);
        if (entry.isDirectory() && !isLeftOut(entry.name)) watchFolder(full, isNew);
        else if (isNew && matters(full)) notice(full);
      }
    } catch {
      // It is not a folder, or it is gone again.
      unwatch(folder);
    }
  };

  watchFolder(directory, false);
  return () => {
    clearTimeout(settling);
    unwatch(directory);
  };
}

function isLeftOut(name: string): boolean {
  return name === 'node_modules' || name.startsWith('.');
}
