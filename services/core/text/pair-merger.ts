import { Heap } from '../support/heap.ts';

/** What two neighbouring tokens merge into, and how good that is. */
export interface Merge {
  readonly id: number;
  readonly score: number;
}

interface Piece {
  readonly id: number;
  /** Index of the first original token; keeps the order of pieces under merging. */
  readonly position: number;
  previous: Piece | undefined;
  next: Piece | undefined;
  merged: boolean;
}

interface Candidate extends Merge {
  readonly left: Piece;
  readonly right: Piece;
}

/**
 * Merges the best-scored pair of neighbours, the leftmost among equals, until no two neighbours
 * merge. A heap of candidates makes that n·log n where a scan before every merge would be n².
 */
export function mergePairs(
  ids: readonly number[],
  findMerge: (left: number, right: number) => Merge | undefined,
): number[] {
  const heap = new Heap(isBetter);
  const consider = (left: Piece | undefined, right: Piece | undefined): void => {
    if (left === undefined || right === undefined) return;
    const merge = findMerge(left.id, right.id);
    if (merge !== undefined) heap.push({ ...merge, left, right });
  };
  let first = linkPieces(ids);
  for (let piece = first; piece !== undefined; piece = piece.next) consider(piece, piece.next);
  for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
    if (best.left.merged || best.right.merged) continue;
    const piece = replacePair(best);
    if (piece.previous === undefined) first = piece;
    consider(piece.previous, piece);
    consider(piece, piece.next);
  }
  return collectIds(first);
}

function linkPieces(ids: readonly number[]): Piece | undefined {
  let next: Piece | undefined;
  for (let position = ids.length - 1; position >= 0; position--) {
    const piece: Piece = { id: ids[position]!, position, previous: undefined, next, merged: false };
    if (next !== undefined) next.previous = piece;
    next = piece;
  }
  return next;
}

function replacePair({ left, right, id }: Candidate): Piece {
  left.merged = true;
  right.merged = true;
  const { previous } = left;
  const { next } = right;
  const piece: Piece = { id, position: left.position, previous, next, merged: false };
  if (previous !== undefined) previous.next = piece;
  if (next !== undefined) next.previous = piece;
  return piece;
}

function collectIds(first: Piece | undefined): number[] {
  const ids: number[] = [];
  for (let piece = first; piece !== undefined; piece = piece.next) ids.push(piece.id);
  return ids;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  return a.score === b.score ? a.left.position < b.left.position : a.score > b.score;
}
