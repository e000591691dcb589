/** The compiler of `infra/`, and what it is asked. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Bicep } from 'bicep-node';
import { vi } from 'vitest';
import { findBicep } from '../../tools/bicep.js';
import type { Snapshot } from './snapshot.js';

export const root = path.resolve(import.meta.dirname, '../..');

/** The defaults, and every option that has a file here. */
export const OPTIONS = {
  default: 'infra/main.bicepparam',
  'private-network': 'test/infra/options/private-network.bicepparam',
  scheduler: 'test/infra/options/scheduler.bicepparam',
  everything: 'test/infra/options/everything.bicepparam',
};
export type Option = keyof typeof OPTIONS;

/** A running compiler: one process for all, because its start takes longer than a compilation. */
export interface Compiler {
  /** What the compiler and the linter report of a file of parameters and all that it uses. */
  diagnostics: (option: Option, folder?: string) => Promise<string[]>;
  /** What would be deployed. */
  snapshot: (option: Option, folder?: string) => Promise<Snapshot>;
  /** Files that are not laid out as `bicep format` does it, or that nothing uses. */
  layout: () => Promise<string[]>;
  stop: () => void;
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** @throws Error when there is no compiler */
export async function startCompiler(): Promise<Compiler> {
  // main.bicepparam reads these two.
  vi.stubEnv('AZURE_ENV_NAME', 'test');
  vi.stubEnv('AZURE_LOCATION', 'eastus');
  // This process lives for seconds: to compile its code twice, the second time better, would double what it costs.
  vi.stubEnv('DOTNET_TieredCompilation', '0');
  const bicep = await Bicep.initialize(findBicep() ?? '');
  vi.unstubAllEnvs();

  return {
    diagnostics: async (option, folder = root) => {
      const file = path.join(folder, OPTIONS[option]);
      const { diagnostics } = await bicep.compileParams({ path: file, parameterOverrides: {} });
      return diagnostics.map(
        ({ source, range, code, message }) =>
          `${path.relative(folder, source)}:${range.start.line + 1} ${code}: ${message}`,
      );
    },
    snapshot: async (option, folder = root) => {
      const { snapshot } = await bicep.getSnapshot({
        path: path.join(folder, OPTIONS[option]),
        metadata: { subscriptionId: NOBODY, tenantId: NOBODY, location: 'eastus' },
      });
      return JSON.parse(snapshot) as Snapshot;
    },
    layout: async () => {
      const { filePaths } = await bicep.getFileReferences({ path: path.join(root, OPTIONS.default) });
      const findings: string[] = [];
      for (const folder of ['infra', 'test/infra']) {
        for (const name of readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })) {
          if (!/\.bicep(?:param)?$/.test(name)) continue;
          const file = path.join(root, folder, name);
          const { contents } = await bicep.format({ path: file });
          if (contents !== readFileSync(file, 'utf8'))
            findings.push(`${folder}/${name} is not laid out by "bicep format"`);
          if (folder === 'infra' && !filePaths.includes(file))
            findings.push(`${folder}/${name} is used by nothing`);
        }
      }
      return findings;
    },
    stop: () => {
      bicep.dispose();
    },
  };
}

/**
 * Copies what the compiler reads to a folder of its own.
 *
 * @returns the folder, and what deletes it
 */
export function copyOfInfra(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'infra-'));
  for (const part of ['infra', 'test/infra/options', 'host.json'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
