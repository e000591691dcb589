import type { Node } from 'web-tree-sitter';
import type { Project } from './project.ts';

export interface Finding {
  file: string;
  /** From 1; nothing when the file as a whole is meant. */
  line: number | undefined;
  message: string;
}

/** Says what is wrong, and where: a node of a file, or the file. */
export type Report = (file: string, node: Node | undefined, message: string) => void;

export interface Check {
  /** What holds when nothing is found. */
  title: string;
  /** @returns how much was looked at, such as `12 files` */
  run: (project: Project, report: Report) => string;
}

export interface Result {
  title: string;
  lookedAt: string;
  findings: Finding[];
}

export function runChecks(project: Project, checks: Check[]): Result[] {
  return checks.map(({ title, run }) => {
    const findings: Finding[] = [];
    const lookedAt = run(project, (file, node, message) => {
      findings.push({ file, line: node && node.startPosition.row + 1, message });
    });
    return { title, lookedAt, findings };
  });
}
