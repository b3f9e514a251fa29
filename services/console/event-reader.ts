/** The longest event that is taken; what sends more is no gateway. */
const MAX_EVENT_LENGTH = 16 * 1024 * 1024;

/**
 * The data of every event of a stream of server-sent events, whose events have one line of data each.
 * `EventSource` cannot send a key, and so the stream is read by hand.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const events = text.split('\n\n');
      text = events.pop()!;
      if (text.length > MAX_EVENT_LENGTH) throw new Error('an event without an end');
      for (const event of events) if (event.startsWith('data: ')) yield event.slice(6);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
