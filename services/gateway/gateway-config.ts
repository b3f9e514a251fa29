import { type Fields, isFields } from '../core/support/fields.ts';
import { badRequest } from './http-error.ts';

/** What an administrator may change while the gateway runs, by the names of `/admin/config`. */
export interface GatewaySettings {
  /** Seconds that a reader may hold back its stream. */
  readonly slow_reader_timeout: number;
  /** Prompts that may be answered at the same time. */
  readonly max_open_prompts: number;
  /** For each key without its own limit; null is none. */
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
}

/** The largest `max_open_prompts`. */
export const MAX_OPEN_PROMPTS = 16_384;

const MAX_SECONDS = 86_400;
const MAX_COUNT = 2 ** 31 - 1;

const CHECKS: Readonly<Record<keyof GatewaySettings, (value: unknown) => string | undefined>> = {
  slow_reader_timeout: (value) => checkWhole(value, MAX_SECONDS),
  max_open_prompts: (value) => checkWhole(value, MAX_OPEN_PROMPTS),
  requests_per_minute: (value) => (value === null ? undefined : checkWhole(value, MAX_COUNT)),
  tokens_per_minute: (value) => (value === null ? undefined : checkWhole(value, MAX_COUNT)),
};

/** The settings of a gateway: changed all at once, or not at all. */
export class GatewayConfig {
  #settings: GatewaySettings;
  readonly #onChange: () => void;

  constructor(settings: GatewaySettings, onChange: () => void = () => {}) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  get settings(): GatewaySettings {
    return this.#settings;
  }

  /** Takes a JSON object of settings; throws a 400 where any of them is wrong. */
  change(body: unknown): void {
    if (!isFields(body)) throw badRequest('the body must be a JSON object of settings');
    for (const [name, value] of Object.entries(body)) checkSetting(name, value);
    this.#settings = { ...this.#settings, ...(body as Fields & Partial<GatewaySettings>) };
    this.#onChange();
  }
}

function checkSetting(name: string, value: unknown): void {
  const names = Object.keys(CHECKS);
  if (!names.includes(name)) {
    throw badRequest(`${name} must be one of ${names.join(', ')}`, name);
  }
  const problem = CHECKS[name as keyof GatewaySettings](value);
  if (problem !== undefined) throw badRequest(`${name} must be ${problem}`, name);
}

function checkWhole(value: unknown, most: number): string | undefined {
  const isValid = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
  return isValid ? undefined : `a whole number from 1 to ${most}`;
}
