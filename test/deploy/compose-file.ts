import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { parse } from 'yaml';
import type { ProgramName } from '../../services/runtime/options/programs.ts';
import { processOptions, unknownVariables } from './process-options.ts';
import { runProgram } from './programs.ts';

/** A service as docker-compose understands it. */
export interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly stop_grace_period?: string;
  readonly ports?: readonly string[];
  readonly secrets?: readonly { readonly source: string; readonly target?: string }[];
  readonly networks: Readonly<Record<string, { readonly aliases?: readonly string[] } | null>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

/** The Compose file with its overlays as docker-compose understands it. */
export function readCompose(
  t: TestContext,
  ...overlays: readonly string[]
): ComposeFile | undefined {
  const files = ['compose.yaml', ...overlays].flatMap((file) => ['-f', `deploy/${file}`]);
  const config = runProgram(t, 'docker-compose', [...files, 'config']);
  if (config === undefined) return undefined;
  assert.equal(config.status, 0, config.stderr);
  return parse(config.stdout) as ComposeFile;
}

/** The options of one of this repository's programs as a service starts it. */
export function optionsOf<Options>(service: Service, program: ProgramName): Options {
  const { command, environment = {} } = service;
  assert.deepEqual(unknownVariables(program, Object.keys(environment)), [], program);
  return processOptions(program, command, environment);
}
