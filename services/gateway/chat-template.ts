import { Template } from '@huggingface/jinja';
import { ModelError } from '../core/support/errors.ts';
import { badRequest } from './http-error.ts';

/** A message of a conversation; what else a client sent with it is for the template. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [name: string]: unknown;
}

/** A conversation as one text. */
export interface RenderedChat {
  readonly text: string;
  /** Whether the text still needs the tokens that the tokenizer puts around a text. */
  readonly addSpecialTokens: boolean;
}

export interface RenderOptions {
  readonly messages: readonly ChatMessage[];
  /** Whether the text ends where the assistant's answer begins. */
  readonly addGenerationPrompt: boolean;
  /** Further variables for the template. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * For checkpoints without a template: every message is `Role: content` and a blank line, and the
 * text ends with `Assistant:`.
 */
const PLAIN_TEMPLATE =
  "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}\n\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}";

/** Turns conversations into prompts as a checkpoint asks for, with its Jinja template. */
export class ChatTemplate {
  readonly #template: Template;
  readonly #isPlain: boolean;
  readonly #specialTokens: Readonly<Record<string, string>>;

  /**
   * `source` is undefined where the checkpoint has none; `specialTokens` are variables such as
   * `bos_token`. Throws a ModelError where it is no template.
   */
  constructor(source: string | undefined, specialTokens: Readonly<Record<string, string>>) {
    this.#isPlain = source === undefined;
    this.#specialTokens = specialTokens;
    try {
      this.#template = new Template(source ?? PLAIN_TEMPLATE);
    } catch (cause) {
      throw new ModelError(`the chat template cannot be used: ${(cause as Error).message}`, {
        cause,
      });
    }
  }

  /** Throws a 400 with the template's own words where it refuses the conversation. */
  render({ messages, addGenerationPrompt, variables }: RenderOptions): RenderedChat {
    try {
      const text = this.#template.render({
        ...variables,
        ...this.#specialTokens,
        messages,
        add_generation_prompt: addGenerationPrompt,
      });
      return { text, addSpecialTokens: this.#isPlain };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw badRequest(`the chat template refuses the messages: ${reason}`, 'messages');
    }
  }
}
