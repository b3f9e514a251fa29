import assert from 'node:assert/strict';
import type { Rack } from './rack.ts';

/** Asks the gateway to continue a text, with or without a key. */
export async function complete(rack: Rack, apiKey?: string): Promise<Response> {
  return fetch(`${await rack.gatewayUrl()}/v1/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ prompt: 'Once upon a time', max_tokens: 16, temperature: 0 }),
  });
}

/** The text that it gives to who has the key. */
export async function completedText(rack: Rack): Promise<string> {
  const response = await complete(rack, rack.apiKey);
  assert.equal(response.status, 200, await response.clone().text());
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  return choices[0]!.text;
}
