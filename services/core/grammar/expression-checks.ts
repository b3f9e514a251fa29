import type { Expression, Rule } from './expression.ts';

/** What holds of rules, found by asking again whenever something that they refer to holds. */
type Verdicts = Map<Rule, boolean>;

/** What an expression can become, whatever its rules refer to. */
export interface ExpressionFacts {
  /** Whether it has any text that is finite. */
  isProductive(expression: Expression): boolean;
  /** Whether some rule begins with itself, so that it would be entered for ever. */
  readonly isLeftRecursive: boolean;
}

/** Looks at an expression and at every rule that it refers to. */
export function checkExpression(root: Expression): ExpressionFacts {
  const rules = rulesOf(root);
  const productive = settle(rules, isProductive);
  const nullable = settle(rules, isNullable);
  return {
    isProductive: (expression) => isProductive(expression, productive),
    isLeftRecursive: hasCycle([...rules.keys()], (rule) => leadersOf(rule.body, nullable)),
  };
}

/** All rules, each with those that refer to it. */
type Rules = ReadonlyMap<Rule, readonly Rule[]>;

function rulesOf(root: Expression): Rules {
  const users = new Map<Rule, Rule[]>();
  const open: { readonly part: Expression; readonly user: Rule | undefined }[] = [];
  open.push({ part: root, user: undefined });
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { part, user } = next;
    if (part.kind === 'rule') {
      const { rule } = part;
      if (!users.has(rule)) {
        users.set(rule, []);
        open.push({ part: rule.body, user: rule });
      }
      if (user !== undefined) users.get(rule)!.push(user);
    }
    for (const inner of partsOf(part)) open.push({ part: inner, user });
  }
  return users;
}

function partsOf(expression: Expression): readonly Expression[] {
  if (expression.kind === 'sequence') return expression.parts;
  if (expression.kind === 'choice') return expression.options;
  return expression.kind === 'repeat' ? [expression.part] : [];
}

/** The least solution: false, until what is known of the others makes it true. */
function settle(
  rules: Rules,
  holds: (expression: Expression, known: Verdicts) => boolean,
): Verdicts {
  const known: Verdicts = new Map();
  const open = [...rules.keys()];
  for (let rule = open.pop(); rule !== undefined; rule = open.pop()) {
    if (known.has(rule) || !holds(rule.body, known)) continue;
    known.set(rule, true);
    open.push(...rules.get(rule)!);
  }
  return known;
}

function isProductive(expression: Expression, known: Verdicts): boolean {
  if (expression.kind === 'byte') return expression.ranges.length > 0;
  if (expression.kind === 'texts') return expression.texts.length > 0;
  return holdsOfParts(expression, known, isProductive);
}

function isNullable(expression: Expression, known: Verdicts): boolean {
  if (expression.kind === 'byte') return false;
  if (expression.kind === 'texts') return expression.texts.some(({ length }) => length === 0);
  return holdsOfParts(expression, known, isNullable);
}

/** What holds of all of a sequence, of one option, and of nothing at all where nothing will do. */
function holdsOfParts(
  expression: Exclude<Expression, { kind: 'byte' | 'texts' }>,
  known: Verdicts,
  holds: (part: Expression, known: Verdicts) => boolean,
): boolean {
  switch (expression.kind) {
    case 'sequence':
      return expression.parts.every((part) => holds(part, known));
    case 'choice':
      return expression.options.some((option) => holds(option, known));
    case 'repeat':
      return expression.least === 0 || holds(expression.part, known);
    case 'rule':
      return known.get(expression.rule) ?? false;
  }
}

/** The rules that an expression may enter before it has taken a byte. */
function leadersOf(expression: Expression, nullable: Verdicts): readonly Rule[] {
  if (expression.kind === 'rule') return [expression.rule];
  const leaders: Rule[] = [];
  for (const part of partsOf(expression)) {
    leaders.push(...leadersOf(part, nullable));
    if (expression.kind === 'sequence' && !isNullable(part, nullable)) break;
  }
  return leaders;
}

function hasCycle(rules: readonly Rule[], nextOf: (rule: Rule) => readonly Rule[]): boolean {
  const states = new Map<Rule, 'open' | 'done'>();
  for (const root of rules) {
    const stack = [{ rule: root, next: nextOf(root).values() }];
    if (states.has(root)) continue;
    states.set(root, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { done, value } = top.next.next();
      if (done) {
        states.set(top.rule, 'done');
        stack.pop();
      } else if (states.get(value) === 'open') return true;
      else if (!states.has(value)) {
        states.set(value, 'open');
        stack.push({ rule: value, next: nextOf(value).values() });
      }
    }
  }
  return false;
}
