import type { ModelConfig } from '../core/model/config.ts';
import type { TensorSource } from '../core/model/tensors.ts';

/** An open model file: its architecture, and its weights on demand. */
export interface Checkpoint extends TensorSource {
  readonly config: ModelConfig;
  readonly format: 'huggingface' | 'llama2c';
  /** The folder that holds the weights. */
  readonly directory: string;
  /** Closes the files; reading afterwards is an error. */
  close(): void;
}
