import type { Command } from 'commander';
import { type ServerInfo, SohuClient } from '../../client/index.ts';
import { ModelError } from '../../core/support/errors.ts';
import { openServedModel, openServedPhantom } from '../../gateway/served-model.ts';
import { findModel } from '../../runtime/cluster/check-servable.ts';
import type { RequestOptions } from '../run/request-options.ts';
import { deviceClock } from '../run/run-result.ts';
import { addClusterOptions, type ClusterOptions, nkeyOption } from '../serve/cluster-options.ts';
import { openSession, type Session, sessionOf } from '../serve/session.ts';
import { wantedCluster } from '../serve/wanted-cluster.ts';
import { Progress } from '../terminal/progress.ts';
import { listenForStop, untilStopped } from '../terminal/stop-requests.ts';
import { ChatHistory } from './chat-history.ts';
import { ChatLoop } from './chat-loop.ts';
import { addParameterOptions, ChatParameters } from './chat-parameters.ts';
import { ChatSession } from './chat-session.ts';

interface ChatOptions extends ClusterOptions, Partial<RequestOptions> {
  readonly nats: string | undefined;
  readonly natsNkeyFile: string | undefined;
  readonly system: string;
  readonly json: true | undefined;
  readonly verbose: true | undefined;
}

const EXAMPLES = `Examples:
  sohu chat                                         with the running cluster, or one for the chat
  sohu chat --temperature 0.5 --seed 7 --verbose
  sohu chat --nats nats://127.0.0.1:4222            with a cluster elsewhere
  sohu chat --tp 1 --system "Once upon a time"
  printf 'The dog\\nThen\\n' | sohu chat --json     a prompt a line, an object an answer
`;

/** Adds `sohu chat`, a conversation with a served model. */
export function addChatCommand(program: Command): void {
  addParameterOptions(addClusterOptions(program.command('chat')))
    .description('Talk with the model of a running cluster, or of one started for the chat.')
    .option('--nats <url>', 'the broker of a cluster that runs elsewhere; nothing is started')
    .addOption(nkeyOption())
    .option('--system <text>', 'what the system says before the conversation', '')
    .option('--json', 'print one JSON object for each answer')
    .option('--verbose', 'tell of every answer how long it took')
    .addHelpText('before', EXAMPLES)
    .action(chat);
}

async function chat(options: ChatOptions, command: Command): Promise<void> {
  const parameters = new ChatParameters(options);
  let loop: ChatLoop | undefined;
  const signal = listenForStop(() => loop?.interrupt() ?? false);
  const progress = new Progress();
  try {
    const session = await open(options, { command, signal, progress });
    try {
      loop = await prepare(session, { options, parameters, signal, progress });
      const broken = session.failed.then((error) => Promise.reject(error));
      await Promise.race([loop.run(), broken, untilStopped(signal)]);
    } finally {
      loop?.close();
      await session.close();
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

interface Surroundings {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

async function open(
  options: ChatOptions,
  { command, signal, progress }: Surroundings & { readonly command: Command },
): Promise<Session> {
  const { nats, natsNkeyFile: nkeyFile, cluster } = options;
  if (nats === undefined) {
    return openSession(wantedCluster(options, command), { options, signal, progress });
  }
  const client = await SohuClient.connect(nats, { cluster, nkeyFile });
  try {
    const isGiven = command.getOptionValueSource('model') !== 'default';
    const { modelName, weights } = await client.serverInfo({ signal });
    const model = findModel(isGiven ? options.model : modelName, weights);
    return sessionOf({ client, files: { model, tokenizer: options.tokenizer } });
  } catch (error) {
    await client.close();
    if (!(error instanceof ModelError)) throw error;
    throw new ModelError(`${error.message}; --model names the files that the cluster serves`);
  }
}

async function prepare(
  { client, files }: Session,
  {
    options,
    parameters,
    signal,
    progress,
  }: Surroundings & { readonly options: ChatOptions; readonly parameters: ChatParameters },
): Promise<ChatLoop> {
  const info = await client.serverInfo({ signal });
  const { model: modelPath, tokenizer } = files;
  const named = { tokenizer, servedName: undefined };
  const model =
    info.weights === 'phantom'
      ? openServedPhantom({ model: modelPath, ...named })
      : openServedModel({ modelPath, ...named });
  if (model.texts.vocabSize > info.vocabSize) {
    throw new ModelError(`${modelPath} has more tokens than ${info.modelName}, which is served`);
  }
  const note = (sentence: string): void => progress.note(sentence);
  const json = options.json === true;
  const onText = json ? () => {} : (text: string): void => void process.stdout.write(text);
  const { system } = options;
  const session = new ChatSession({ client, info, model, parameters, system, onText, note });
  const verbose = options.verbose === true;
  const clock = deviceClock(info);
  const state = { session, parameters, verbose, clock, about: about(info) };
  return new ChatLoop(state, { json, note, signal, history: new ChatHistory() });
}

function about(info: ServerInfo): string {
  const chips = info.tensorParallelSize === 1 ? 'one chip' : `${info.tensorParallelSize} chips`;
  return `${info.modelName}, ${info.precision}, ${chips}, a context of ${info.maxContextLength} tokens.`;
}
