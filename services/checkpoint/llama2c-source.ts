import type { ModelConfig } from '../core/model/config.ts';
import { parseHfConfig } from '../core/model/hf-config.ts';
import type { LayerTensor, TensorId, TensorSlice, TensorSource } from '../core/model/tensors.ts';
import { assert, ModelError } from '../core/support/errors.ts';
import type { ByteFile } from './byte-file.ts';
import {
  checkFinite,
  checkSlice,
  readRows,
  readSlice,
  type StoredMatrix,
} from './stored-matrix.ts';
import { storedTensor, tensorShape } from './tensor-table.ts';

const HEADER_FIELDS = [
  'dim',
  'hidden_dim',
  'n_layers',
  'n_heads',
  'n_kv_heads',
  'vocab_size',
  'seq_len',
] as const;
const HEADER_BYTES = 4 * HEADER_FIELDS.length;
const VERSIONED_MAGIC = 0x616b3432;

/**
 * The file holds each of these for all layers, one after the other; the embedding precedes them.
 */
const LAYER_ORDER: readonly LayerTensor[] = [
  'attentionNorm',
  'query',
  'key',
  'value',
  'attentionOutput',
  'mlpNorm',
  'gate',
  'down',
  'up',
];

/** Reads the header of a llama2.c file of the first, unversioned format. */
export function readLlama2cConfig(file: ByteFile): ModelConfig {
  if (file.sizeBytes < HEADER_BYTES) {
    throw new ModelError(
      `${file.path} must start with a llama2.c header of ${HEADER_BYTES} bytes, and has ${file.sizeBytes} bytes`,
    );
  }
  const view = new DataView(file.read(0, HEADER_BYTES).buffer);
  if (view.getUint32(0, true) === VERSIONED_MAGIC) {
    throw new ModelError(
      `${file.path} must be a llama2.c file of version 0, not ${view.getInt32(4, true)}`,
    );
  }
  const header = HEADER_FIELDS.map((_, index) => view.getInt32(4 * index, true));
  const vocabSize = header[5]!;
  header[5] = Math.abs(vocabSize); // a negative size says that the classifier is not the embedding
  header.forEach((value, index) => {
    if (value >= 1) return;
    throw new ModelError(`${HEADER_FIELDS[index]} of ${file.path} must be positive, not ${value}`);
  });
  return toConfig(header, vocabSize > 0);
}

function toConfig(header: readonly number[], tiedEmbeddings: boolean): ModelConfig {
  const [dim, hiddenDim, layers, heads, kvHeads, vocabSize, positions] = header;
  return parseHfConfig({
    architectures: ['LlamaForCausalLM'],
    hidden_size: dim,
    intermediate_size: hiddenDim,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    vocab_size: vocabSize,
    max_position_embeddings: positions,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: tiedEmbeddings,
    eos_token_id: [1, 2], // run.c ends at BOS, which the training data has between stories
  });
}

/** The weights of a llama2.c file. */
export class Llama2cSource implements TensorSource {
  readonly #config: ModelConfig;
  readonly #file: ByteFile;
  readonly #positions: ReadonlyMap<TensorId['kind'], number>;

  constructor(config: ModelConfig, file: ByteFile) {
    this.#config = config;
    this.#file = file;
    const { positions, end } = layOut(config);
    if (file.sizeBytes !== end) {
      throw new ModelError(
        `${file.path} must be ${end} bytes long for the sizes in its header, not ${file.sizeBytes}`,
      );
    }
    this.#positions = positions;
  }

  read(tensor: TensorId, slice: TensorSlice): Float32Array {
    const matrix = this.#locate(storedTensor(this.#config, tensor));
    const interleaved = tensor.kind === 'query' || tensor.kind === 'key';
    const values = interleaved
      ? readInterleaved(matrix, slice, this.#config.headDim / 2)
      : readSlice(matrix, slice);
    checkFinite(matrix.name, values);
    return values;
  }

  #locate(tensor: TensorId): StoredMatrix {
    const start = this.#positions.get(tensor.kind);
    assert(start !== undefined, `no tensor ${tensor.kind}`);
    const [rows, columns] = tensorShape(this.#config, tensor.kind);
    const layer = 'layer' in tensor ? tensor.layer : 0;
    const position = start + layer * rows * columns * 4;
    const name = 'layer' in tensor ? `${tensor.kind} of layer ${layer}` : tensor.kind;
    return { name, file: this.#file, position, dtype: 'F32', rows, columns };
  }
}

/** Where each kind of tensor starts, and where the file ends. */
function layOut(config: ModelConfig): { positions: Map<TensorId['kind'], number>; end: number } {
  const positions = new Map<TensorId['kind'], number>();
  let position = HEADER_BYTES;
  const place = (kind: TensorId['kind'], copies: number): void => {
    const [rows, columns] = tensorShape(config, kind);
    positions.set(kind, position);
    position += copies * rows * columns * 4;
  };
  place('embedding', 1);
  for (const kind of LAYER_ORDER) place(kind, config.layers);
  place('finalNorm', 1);
  position += config.maxPositions * config.headDim * 4; // cosines and sines, which run.c skips too
  if (!config.tiedEmbeddings) place('lmHead', 1);
  return { positions, end: position };
}

/**
 * Reads rows of rotary pairs, which the file interleaves within each head, in rotate-half order:
 * the even rows of a head first, then the odd ones.
 */
function readInterleaved(matrix: StoredMatrix, slice: TensorSlice, halfRows: number): Float32Array {
  checkSlice(matrix, slice);
  const { rowStart, rowEnd, columnStart, columnEnd } = slice;
  const width = columnEnd - columnStart;
  const target = new Float32Array((rowEnd - rowStart) * width);
  for (let row = rowStart; row < rowEnd; ) {
    const half = Math.floor(row / halfRows);
    const pair = row % halfRows;
    const count = Math.min(halfRows - pair, rowEnd - row);
    const firstRow = (half >> 1) * 2 * halfRows + 2 * pair + (half & 1);
    const part = target.subarray((row - rowStart) * width, (row - rowStart + count) * width);
    readRows(matrix, { firstRow, rowStep: 2, count, columnStart, columnEnd }, part);
    row += count;
  }
  return target;
}
