import type { FSWatcher } from 'node:fs';
import { readdirSync, watch } from 'node:fs';
import path from 'node:path';

/** Milliseconds without another change after which changes are told: a build writes many files. */
const SETTLED = 250;

/** Beside the app's code: read when it starts. */
const READ_AT_START: ReadonlySet<string> = new Set(['host.json', 'local.settings.json', 'package.json']);

/**
 * Watches what an app is loaded from: its JavaScript, wherever it is but in `node_modules` and hidden folders, and its settings.
 * @param directory absolute
 * @param changed called with the path of a file that was changed, once for many changes at a time
 * @returns how to stop it
 */
export function watchAppFiles(directory: string, changed: (file: string) => void): () => void {
  // One watcher a folder: a recursive one would go through all of node_modules.
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
      // Perhaps a folder that came, or went, or came again under its name.
      unwatch(file);
      watchFolder(file, true);
    }
  };
  /** @param isNew whether what is in it may have been written before it was watched */
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
      // No folder, or one that is gone again.
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
