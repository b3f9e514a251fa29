import type { Command } from 'commander';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { numberBetween } from '../../runtime/options/option-values.ts';
import { addPlaceOptions, type PlaceOptions, placeOf } from '../serve/cluster-place.ts';
import { EXIT_CODES, StopRequest } from '../terminal/errors.ts';
import { colorsFor } from '../terminal/format.ts';
import { FullScreen, type Key } from '../terminal/full-screen.ts';
import { glyphsFor } from '../terminal/glyphs.ts';
import { paintLine } from '../terminal/styled-line.ts';
import { ClusterFeed } from './cluster-feed.ts';
import { renderTop } from './render-top.ts';
import type { TopState } from './top-state.ts';
import { applyKey, FIRST_VIEW, type View } from './view.ts';

interface TopOptions extends PlaceOptions {
  readonly delay: number;
  readonly engine: string | undefined;
}

const EXAMPLES = `Examples:
  sohu top                    chips, rates and requests of the running cluster; ? lists the keys
  sohu top -d 2               a look every 2 seconds
  sohu top --cluster rack-2 --engine 0
`;
const MIN_DELAY_SECONDS = 0.25;
const MAX_DELAY_SECONDS = 3_600;

/** Adds `sohu top`, which shows a cluster as it works. */
export function addTopCommand(program: Command): void {
  addPlaceOptions(program.command('top'))
    .description('Watch a cluster on the whole terminal: chips, rates, history, requests.')
    .option(
      '-d, --delay <seconds>',
      'between two looks',
      numberBetween(MIN_DELAY_SECONDS, MAX_DELAY_SECONDS),
      0.5,
    )
    .option('--engine <name>', 'of a cluster with several (default: the first)')
    .addHelpText('before', EXAMPLES)
    .action(top);
}

async function top(options: TopOptions): Promise<void> {
  checkTerminal();
  const stop = new AbortController();
  listenForEnd(stop);
  let onChange = (): void => {};
  const feed = new ClusterFeed({
    findPlace: rememberPlace(options),
    engine: options.engine,
    intervalMs: 1000 * options.delay,
    onChange: () => onChange(),
  });
  const follow = await feed.start(stop.signal);
  const screen = new FullScreen({ input: process.stdin, output: process.stdout });
  const shown = new ShownTop(screen, feed, stop);
  onChange = () => shown.draw();
  screen.open();
  shown.draw();
  try {
    await follow();
  } finally {
    screen.close();
  }
  throw stop.signal.reason;
}

/** Throws an InvalidArgumentError where there is nothing that can be drawn on. */
function checkTerminal(): void {
  const { stdin, stdout, env } = process;
  const isTerminal = stdin.isTTY && stdout.isTTY && env.TERM !== undefined && env.TERM !== 'dumb';
  if (isTerminal) return;
  throw new InvalidArgumentError(
    'sohu top needs a terminal that it can draw on: `sohu smi -l 1` shows the chips every second without one',
  );
}

/** SIGINT and SIGTERM, and a terminal that is gone, end it; its screen is closed on the way out. */
function listenForEnd(stop: AbortController): void {
  const end = (): void => stop.abort(new StopRequest('interrupted', EXIT_CODES.interrupted));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.stdin.on('error', end);
  process.stdout.on('error', end);
}

/** The cluster that is meant stays the same, also where another one begins beside it. */
function rememberPlace(options: PlaceOptions): () => ReturnType<typeof placeOf> {
  let cluster = options.cluster;
  return () => {
    const place = placeOf({ ...options, cluster });
    cluster ??= place.cluster;
    return place;
  };
}

/** What is on the screen, and what keys make of it. */
class ShownTop {
  readonly #screen: FullScreen;
  readonly #feed: ClusterFeed;
  readonly #stop: AbortController;
  readonly #glyphs = glyphsFor(process.env);
  readonly #colors = colorsFor(process.stdout);
  #view: View = FIRST_VIEW;
  #kept: TopState | undefined;

  constructor(screen: FullScreen, feed: ClusterFeed, stop: AbortController) {
    this.#screen = screen;
    this.#feed = feed;
    this.#stop = stop;
    screen.on('key', (key) => this.#onKey(key));
    screen.on('changed', () => this.draw());
  }

  draw(): void {
    // While it is paused, keys still sort and filter what was there.
    this.#kept = this.#view.isPaused ? (this.#kept ?? this.#feed.state) : undefined;
    const state = this.#kept ?? this.#feed.state;
    const options = { ...this.#screen.size, glyphs: this.#glyphs };
    const lines = renderTop(state, this.#view, options);
    this.#screen.draw(lines.map((line) => paintLine(line, this.#colors)));
  }

  #onKey(key: Key): void {
    const next = applyKey(this.#view, key);
    if (next === 'quit') this.#end(EXIT_CODES.ok);
    else if (next === 'interrupt') this.#end(EXIT_CODES.interrupted);
    else if (next === 'suspend') this.#screen.suspend();
    else if (next === 'redraw') this.#screen.redraw();
    else {
      this.#view = next;
      this.draw();
    }
  }

  #end(exitCode: number): void {
    this.#stop.abort(new StopRequest('the user has seen enough', exitCode));
  }
}
