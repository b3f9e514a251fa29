import { type GenerateRequest, RpcError, SohuClient } from '../../client/index.ts';
import { LoadError, type LoadEvent, type LoadRequest, type LoadTarget } from './load-target.ts';

/** Where a cluster is asked, and as whom. */
export interface BrokerPlace {
  readonly natsUrl: string;
  readonly nkeyFile?: string | undefined;
  readonly cluster: string;
}

/** A cluster that is asked through the SDK. */
export class SdkTarget implements LoadTarget {
  readonly address: string;
  readonly model: string;
  readonly #client: SohuClient;
  readonly #fields: Omit<GenerateRequest, 'prompt'>;

  private constructor(
    client: SohuClient,
    place: Pick<LoadTarget, 'address' | 'model'>,
    fields: Omit<GenerateRequest, 'prompt'>,
  ) {
    this.#client = client;
    this.address = place.address;
    this.model = place.model;
    this.#fields = fields;
  }

  static async connect(
    place: BrokerPlace,
    fields: Omit<GenerateRequest, 'prompt'>,
  ): Promise<SdkTarget> {
    const { natsUrl, nkeyFile, cluster } = place;
    // What is refused is counted, and so not tried again.
    const client = await SohuClient.connect(natsUrl, { cluster, nkeyFile, retry: false });
    try {
      const { modelName } = await client.serverInfo();
      return new SdkTarget(
        client,
        { address: `${natsUrl} (${cluster})`, model: modelName },
        fields,
      );
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  async *send({ prompt, maxTokens }: LoadRequest, signal: AbortSignal): AsyncGenerator<LoadEvent> {
    try {
      const request = { ...this.#fields, prompt, maxTokens };
      for await (const event of this.#client.generateStream(request, { signal })) {
        if (event.kind === 'tokens') yield { kind: 'tokens', count: event.tokenIds.length };
        if (event.kind === 'complete') {
          const { promptTokens, completionTokens } = event.usage;
          yield { kind: 'usage', inputTokens: promptTokens, outputTokens: completionTokens };
        }
      }
    } catch (error) {
      throw error instanceof RpcError ? new LoadError(error.code, error.message) : error;
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
