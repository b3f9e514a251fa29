import assert from 'node:assert/strict';

/** What takes requests at its gateway. */
export interface Served {
  readonly apiKey: string;
  gatewayUrl(): Promise<string>;
}

/** Asks the gateway to continue a text, with or without a key. */
export async function complete(served: Served, apiKey?: string, maxTokens = 16): Promise<Response> {
  return fetch(`${await served.gatewayUrl()}/v1/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ prompt: 'Once upon a time', max_tokens: maxTokens, temperature: 0 }),
  });
}

/** The text that it gives to who has the key. */
export async function completedText(served: Served, maxTokens?: number): Promise<string> {
  const response = await complete(served, served.apiKey, maxTokens);
  assert.equal(response.status, 200, await response.clone().text());
  const { choices } = (await response.json()) as { choices: { text: string }[] };
  return choices[0]!.text;
}
