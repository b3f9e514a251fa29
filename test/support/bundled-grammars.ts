import { join } from 'node:path';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import { openTokenizer } from '../../services/checkpoint/tokenizer-file.ts';
import { expressionOf } from '../../services/core/grammar/compile-constraint.ts';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import { TokenGrammars } from '../../services/core/grammar/token-grammars.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import { decodeTokens } from '../../services/core/text/text-stream.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
import { NaiveGrammar } from './naive-grammar.ts';
import { BUNDLED_MODELS } from './requirements.ts';

/** The bundled model, with grammars over its tokens. */
export interface BundledModel {
  readonly model: string;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly grammars: TokenGrammars;
}

export function openBundledModel(): BundledModel {
  const model = join(BUNDLED_MODELS, 'tinystories-5m');
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  const { config } = checkpoint;
  const tokenizer = openTokenizer({ file: undefined, modelPath: model, config });
  const { vocabSize, stopTokenIds: endTokenIds } = config;
  const grammars = new TokenGrammars({ tokenizer, vocabSize, endTokenIds });
  return { model, config, tokenizer, grammars };
}

/** The text of generated tokens, without the last one where that ends it. */
export function textOf(
  { tokenizer, config }: BundledModel,
  tokens: readonly number[],
  lastPrompt: number | undefined,
): string {
  const isEnded = config.stopTokenIds.includes(tokens.at(-1)!);
  return decodeTokens(tokenizer, isEnded ? tokens.slice(0, -1) : tokens, lastPrompt);
}

/** What the oracle lets come next: every token by itself, by the derivatives of the constraint. */
export function naiveTokensAfter(
  { tokenizer, config }: BundledModel,
  constraint: Constraint,
): (generated: readonly number[]) => ReadonlySet<number> {
  const whole = new NaiveGrammar([expressionOf(constraint, Error)]);
  return (generated) => {
    const here = generated.reduce(
      (before, token) => before.after(tokenizer.tokenBytes(token, 2)),
      whole,
    );
    const ids = Array.from({ length: config.vocabSize }, (_, id) => id);
    const isLegal = (id: number): boolean => {
      const bytes = tokenizer.tokenBytes(id, 2);
      return bytes.length > 0 && here.after(bytes).isAlive;
    };
    return new Set([...ids.filter(isLegal), ...(here.accepts ? config.stopTokenIds : [])]);
  };
}
