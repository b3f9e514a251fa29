import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { completedText } from './completions.ts';
import { type Provisions, SERVICES, startRack } from './rack.ts';
import { queryPrometheus, untilPanelsShow, untilScraped } from './scraping.ts';

/** Proves compose.phantom.yaml: Llama 3 70B without its weights. */
export async function provePhantom(t: TestContext, provisions: Provisions): Promise<void> {
  const overlays = ['compose.phantom.yaml'];
  const rack = await startRack(t, provisions, { services: SERVICES, overlays });

  await t.test('becomes healthy, and answers with made-up words', async () => {
    await rack.untilHealthy();
    assert.match(await completedText(rack), /^( [a-z]+)+$/);
  });

  await t.test('is scraped by its Prometheus', () => untilScraped(rack));

  await t.test('shows what Sohu chips would take', async () => {
    const isOfDevice = ({ board }: { readonly board: string }): boolean => board === 'claims.json';
    await untilPanelsShow(rack, isOfDevice, { label: 'engine', values: ['0'] });
    const [share] = await queryPrometheus(
      rack,
      'sohu_generated_tokens_total{model_name="llama-3-70b"} / sohu_step_device_seconds_sum',
    );
    assert.ok(share !== undefined && share.value > 0, 'tokens per second of device time');
  });

  await t.test('leaves nothing behind', async () => assert.deepEqual(await rack.down(), []));
}
