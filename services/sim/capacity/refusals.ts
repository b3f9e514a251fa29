import type { Refusal } from '../../core/scheduler/admission.ts';

/** How many requests were refused for a kind of reason, and what the first of them was told. */
interface RefusalCount {
  count: number;
  example: string | undefined;
}

/** Refused requests by the kind of reason. */
export class Refusals implements Readonly<Record<Refusal['reason'], Readonly<RefusalCount>>> {
  readonly invalid: RefusalCount = { count: 0, example: undefined };
  readonly full: RefusalCount = { count: 0, example: undefined };

  add({ reason, message }: Refusal): void {
    this[reason].count++;
    this[reason].example ??= message;
  }
}
