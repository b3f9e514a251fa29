import { ModelError } from '../support/errors.ts';

/** The one architecture that this version runs. */
export const RUNNABLE_ARCHITECTURE = 'LlamaForCausalLM';

const RUNNABLE_MODEL_TYPE = 'llama';

/** What is known to be no transformer, by a part of its architecture's name in lower case. */
const OTHER_KINDS: readonly { readonly pattern: RegExp; readonly kind: string }[] = [
  {
    pattern:
      /resnet|resnext|convnext|efficientnet|vgg|mobilenet|regnet|densenet|inception|alexnet|squeezenet|shufflenet|nfnet|yolo|convolution|\bcnn|autoencoderkl|autoencodertiny/,
    kind: 'a convolutional network',
  },
  {
    pattern: /mamba|jamba|zamba|bamba|nemotron_?h|\bs4|hyena|state_?space/,
    kind: 'a state-space model',
  },
  { pattern: /lstm|rnn|\b(bi)?gru|rwkv|recurrent/, kind: 'a recurrent network' },
  {
    pattern: /dlrm|deepfm|wide_?(and_?)?deep|recommend|recsys|two_?tower/,
    kind: 'a recommendation model',
  },
  { pattern: /unet|diffusion/, kind: 'a diffusion U-Net' },
  { pattern: /\bgcn|\bgat\b|graph_?sage|\bgnn|graph_?neural/, kind: 'a graph network' },
  { pattern: /\bgan\b|stylegan|generator/, kind: 'a generative adversarial network' },
];

const TRANSFORMERS =
  /transformer|bert|electra|llama|mi[sx]tral|qwen|gemma|gpt|phi|opt\b|bloom|falcon|t5|bart|pegasus|deepseek|cohere|starcoder|olmo|granite|glm|vit|deit|swin|dinov|clip|whisper|wav2vec|hubert|llava|marian|causal_?lm|masked_?lm|conditional_?generation|seq2seq/;

/**
 * Refuses every model but the runnable one, in one sentence that says what kind of model it is.
 * `fields` is a parsed config.json, or the config of a diffusers model.
 */
export function checkArchitecture(fields: Readonly<Record<string, unknown>>): void {
  const architecture = nameArchitecture(fields);
  const modelType = typeof fields.model_type === 'string' ? fields.model_type : undefined;
  if (architecture === undefined && modelType === undefined) {
    throw new ModelError(
      `the config names no architecture: architectures must be ["${RUNNABLE_ARCHITECTURE}"]`,
    );
  }
  const name = architecture ?? modelType ?? '';
  const kind = classify(`${architecture ?? ''} ${modelType ?? ''}`);
  if (kind !== undefined) throw new ModelError(`Sohu runs transformers only: ${name} is ${kind}.`);
  const runnable =
    (architecture ?? RUNNABLE_ARCHITECTURE) === RUNNABLE_ARCHITECTURE &&
    (modelType ?? RUNNABLE_MODEL_TYPE) === RUNNABLE_MODEL_TYPE;
  if (!runnable) throw new ModelError(refuseOther(architecture, modelType));
}

function nameArchitecture(fields: Readonly<Record<string, unknown>>): string | undefined {
  const listed = Array.isArray(fields.architectures) ? fields.architectures[0] : undefined;
  const names = [listed, fields._class_name, fields.architecture];
  return names
    .find((name): name is string => typeof name === 'string' && name !== '')
    ?.slice(0, 80);
}

function classify(names: string): string | undefined {
  const text = names.toLowerCase().replaceAll('-', '_');
  return OTHER_KINDS.find(({ pattern }) => pattern.test(text))?.kind;
}

function refuseOther(architecture: string | undefined, modelType: string | undefined): string {
  const name =
    architecture === undefined || architecture === RUNNABLE_ARCHITECTURE
      ? `model_type ${JSON.stringify(modelType)}`
      : architecture;
  return TRANSFORMERS.test(name.toLowerCase())
    ? `${name} is a transformer that this version does not run; it runs ${RUNNABLE_ARCHITECTURE}`
    : `${name} is no model that this version knows; it runs ${RUNNABLE_ARCHITECTURE}`;
}
