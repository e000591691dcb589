import { RuleTester } from 'oxlint/plugins-dev';
import { describe, it } from 'vitest';
import type { Rule } from '../ast.ts';
import type { Settings } from '../code.ts';

RuleTester.describe = describe;
RuleTester.it = it;

type Case = RuleTester.ValidTestCase;
/** Bad code, and for each error the message's id and the name in it: `clock Date.now`. */
type Bad = readonly [code: string | Case, ...errors: string[]];

/** A file that contains only orchestrator code. */
export function whole(code: string): Case {
  return {
    code,
    filename: 'src/orders/orchestrators.ts',
    settings: { orchestrators: { files: ['src/*/{orchestrators,rules,model}.ts'] } },
  };
}

/**
 * A file of other code, in which only the functions passed to `orchestrator` or `app.orchestration` are
 * orchestrator code.
 */
export function mixed(code: string, settings: Partial<Settings> = {}): Case {
  return {
    code,
    filename: 'src/functions.ts',
    settings: { orchestrators: settings as Record<string, string[]> },
  };
}

/** A CommonJS file, by its name. */
export function commonJs(code: string): Case {
  return { code, filename: 'src/functions.cjs', languageOptions: { sourceType: 'commonjs' } };
}

/** Code inside of an orchestrator. */
export function inside(body: string): string {
  return `orchestrator('Order', function* (context, input) {\n${body}\n});`;
}

/** Checks a rule on code. Plain text becomes the body of an orchestrator. */
export function check(
  title: string,
  rule: Rule,
  { good, bad }: { good: readonly (string | Case)[]; bad: readonly Bad[] },
): void {
  const asCase = (code: string | Case): Case =>
    typeof code === 'string' ? { ...mixed(inside(code)), name: code } : { ...code, name: code.code };
  new RuleTester().run(title, rule, {
    valid: good.map(asCase),
    invalid: bad.map(([code, ...errors]) => ({
      ...asCase(code),
      errors: errors.map((error) => {
        const [, messageId, name] = /^(\S+)(?: (.*))?$/.exec(error)!;
        return { messageId: messageId!, ...(name !== undefined && { data: { name, call: name } }) };
      }),
    })),
  });
}
