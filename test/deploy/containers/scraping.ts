import assert from 'node:assert/strict';
import { until } from '../../support/live-cluster.ts';
import { type BoardPanel, boardPanels } from '../boards.ts';
import { completedText } from './completions.ts';
import type { Rack } from './rack.ts';

/** A series now. */
interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the rack's Prometheus answers. */
export async function queryPrometheus(rack: Rack, expression: string): Promise<readonly Sample[]> {
  const url = `http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = JSON.parse(await rack.execute('prometheus', 'wget', '-q', '-O', '-', url));
  const results = answer.data.result as { metric: Sample['metric']; value: [number, string] }[];
  return results.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

/** Waits until every process of the cluster is a target that answers, and no other is. */
export async function untilScraped(rack: Rack): Promise<void> {
  const expected = rack.services.flatMap((name) => {
    if (name === 'gateway') return ['sohu-gateway gateway:8000 1'];
    const [, kind] = /^(chip|coordinator)\b/.exec(name) ?? [];
    return kind === undefined ? [] : [`sohu-${kind} ${name}:9464 1`];
  });
  let found: readonly string[] = [];
  await until('Prometheus sees the cluster', async () => {
    const up = await queryPrometheus(rack, 'up').catch(() => []);
    found = up.map(({ metric, value }) => `${metric.job} ${metric.instance} ${value}`);
    return expected.every((target) => found.includes(target));
  });
  assert.deepEqual([...found].sort(), expected.sort());
}

/**
 * Sends requests until the panels that are chosen have numbers for each value of a label, which stands for something
 * that runs: all of them, and no others.
 */
export async function untilPanelsShow(
  rack: Rack,
  choose: (panel: BoardPanel) => boolean,
  { label, values }: { readonly label: string; readonly values: readonly string[] },
): Promise<void> {
  const pending = new Set(
    boardPanels()
      .filter(choose)
      .flatMap(({ board, title, queries }) =>
        queries
          .filter(({ legend }) => legend.includes(`{{${label}}}`))
          .map(({ expression }) => ({ what: `${board}: ${title}`, expression })),
      ),
  );
  assert.ok(pending.size > 0);
  const wanted = [...values].sort().join();
  let last = '';
  const showAll = async (): Promise<boolean> => {
    await Promise.all(values.map(() => completedText(rack)));
    for (const query of pending) {
      const samples = await queryPrometheus(rack, query.expression);
      const finite = samples.filter(({ value }) => Number.isFinite(value));
      const shown = [...new Set(finite.map(({ metric }) => metric[label]))].sort().join();
      if (shown === wanted) pending.delete(query);
      else last = `${query.what} shows ${label} ${shown || 'nothing'}: ${query.expression}`;
    }
    return pending.size === 0;
  };
  await until(`panels show ${label} ${wanted}`, showAll).catch((error: unknown) => {
    throw new Error(last, { cause: error });
  });
}
