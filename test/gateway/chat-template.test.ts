import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ModelError } from '../../services/core/support/errors.ts';
import { ChatTemplate } from '../../services/gateway/chat-template.ts';
import { openServedModel, type ServedModel } from '../../services/gateway/served-model.ts';
import { BUNDLED_MODELS, requireReference } from '../support/requirements.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { errorOf, makeGateway, post } from './make-gateway.ts';
import { StandInEngine } from './stand-in-engine.ts';

const USER = { role: 'user', content: 'Hi' };
const LLAMA_3 =
  "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

/** The bundled model with other files beside its tokenizer. */
function modelWith(t: TestContext, files: Readonly<Record<string, unknown>>): ServedModel {
  const directory = join(makeTemporaryDirectory(t), 'my-model');
  cpSync(join(BUNDLED_MODELS, 'tinystories-5m'), directory, { recursive: true });
  for (const [name, value] of Object.entries(files)) {
    writeFileSync(join(directory, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return openServedModel({ modelPath: directory, tokenizer: undefined, servedName: undefined });
}

function render(model: ServedModel, addGenerationPrompt = true): string {
  const messages = [{ role: 'system', content: 'Be brief.' }, USER];
  return model.chatTemplate.render({ messages, addGenerationPrompt, variables: {} }).text;
}

suite('the template of a checkpoint', () => {
  const config = JSON.parse(
    readFileSync(join(BUNDLED_MODELS, 'tinystories-5m', 'tokenizer_config.json'), 'utf8'),
  );

  test('comes from tokenizer_config.json, with the names of its special tokens', (t) => {
    const model = modelWith(t, {});
    assert.equal(model.name, 'my-model');
    assert.equal(render(model), '<|begin_of_text|>Be brief. Hi');
  });

  test('of the bundled model tells one story, with a space where a message does not begin with one', (t) => {
    const { chatTemplate } = modelWith(t, {});
    const told = (...contents: string[]): string => {
      const messages = contents.map((content, index) => {
        return { role: index % 2 === 0 ? 'user' : 'assistant', content };
      });
      return chatTemplate.render({ messages, addGenerationPrompt: true, variables: {} }).text;
    };
    assert.equal(
      told('Once upon a time', ', there was a cat.', 'A dog came.', ' it ran', '\n\nThe end'),
      '<|begin_of_text|>Once upon a time, there was a cat. A dog came. it ran\n\nThe end',
    );
    assert.equal(told('Hi', '', 'you'), '<|begin_of_text|>Hi you', 'an empty answer adds nothing');
    const grown = told('One', ' two', 'three');
    assert.ok(grown.startsWith(told('One')), 'the prompt of a turn begins with those before');
  });

  test('comes from chat_template.jinja first', (t) => {
    const template = '{{ eos_token }}{{ messages | length }}';
    assert.equal(render(modelWith(t, { 'chat_template.jinja': template })), '<|end_of_text|>2');
  });

  test('is the default one of several', (t) => {
    const templates = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ];
    const file = { ...config, chat_template: templates };
    assert.equal(render(modelWith(t, { 'tokenizer_config.json': file })), 'plain');
  });

  test('renders Llama 3 as its makers do', () => {
    const template = new ChatTemplate(LLAMA_3, { bos_token: '<|begin_of_text|>' });
    const messages = [{ role: 'system', content: ' Be brief. ' }, USER];
    const { text, addSpecialTokens } = template.render({
      messages,
      addGenerationPrompt: true,
      variables: {},
    });
    assert.equal(
      text,
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    );
    assert.equal(addSpecialTokens, false);
  });

  test('may refuse a conversation, in its own words', async (t) => {
    const template = "{{ raise_exception('roles must alternate') }}";
    const model = modelWith(t, { 'chat_template.jinja': template });
    const gateway = makeGateway(t, new StandInEngine(), { model });
    const error = errorOf(await post(gateway, '/v1/chat/completions', { messages: [USER] }));
    assert.deepEqual([error.status, error.param], [400, 'messages']);
    assert.match(error.message, /roles must alternate/);
  });

  test('has the variables that the request gives it', async (t) => {
    const model = modelWith(t, { 'chat_template.jinja': '{{ mood }}' });
    const body = { messages: [USER], chat_template_kwargs: { mood: 'happy' } };
    const answer = await post(makeGateway(t, new StandInEngine(), { model }), '/tokenize', body);
    assert.deepEqual(
      JSON.parse(answer.body).tokens,
      model.texts.encode('happy', { addSpecialTokens: false }),
    );
  });

  test('that is no template is refused with the model', (t) => {
    assert.throws(() => modelWith(t, { 'chat_template.jinja': '{% if %}' }), ModelError);
  });

  test('where there is none is a plain one, which ends where the assistant begins', (t) => {
    const { chat_template: _template, ...rest } = config;
    const model = modelWith(t, { 'tokenizer_config.json': rest });
    assert.equal(render(model), 'System: Be brief.\n\nUser: Hi\n\nAssistant:');
    assert.equal(render(model, false), 'System: Be brief.\n\nUser: Hi\n\n');
  });
});

suite('the beginning of text comes once', () => {
  test('whether the template writes it or the tokenizer adds it', async (t) => {
    const plain = modelWith(t, { 'tokenizer_config.json': {} });
    for (const model of [modelWith(t, {}), plain]) {
      const engine = new StandInEngine();
      const gateway = makeGateway(t, engine, { model });
      await post(gateway, '/v1/chat/completions', { messages: [USER] });
      const [{ prompt }] = engine.requests as [{ prompt: readonly number[] }];
      assert.deepEqual([prompt[0], prompt.lastIndexOf(0)], [0, 0]);
    }
  });

  test('of a llama2.c model too', (t) => {
    const file = requireReference(t, 'stories260K/stories260K.bin');
    if (file === undefined) return;
    const model = openServedModel({ modelPath: file, tokenizer: undefined, servedName: 'small' });
    const withIt = model.texts.encode('Once', { addSpecialTokens: true });
    const without = model.texts.encode('Once', { addSpecialTokens: false });
    assert.deepEqual(withIt, [1, ...without]);
    assert.equal(model.texts.decode(withIt), 'Once');
    assert.equal(render(model), 'System: Be brief.\n\nUser: Hi\n\nAssistant:');
  });
});
