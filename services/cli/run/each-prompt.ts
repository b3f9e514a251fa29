import { RpcError } from '../../client/index.ts';

/** Works on all prompts at once; the first error says which of several prompts it is about. */
export function eachPrompt<T>(
  prompts: readonly string[],
  work: (prompt: string, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    prompts.map(async (prompt, index) => {
      try {
        return await work(prompt, index);
      } catch (error) {
        const { code, message } = RpcError.from(error);
        const place = prompts.length > 1 ? `prompt ${index + 1}: ` : '';
        throw new RpcError(code, place + message, { cause: error });
      }
    }),
  );
}
