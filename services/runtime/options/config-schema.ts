import type { Option } from 'commander';
import { SCHEMA_FIELD, UNFILED_OPTIONS } from './config-file.ts';
import { isSwitch, optionName } from './environment.ts';
import type { ValueSchema } from './option-values.ts';
import { makeProgram, PROGRAM_NAMES, type ProgramName } from './programs.ts';
import { schemaOf } from './value-schema.ts';

/** The JSON Schema of a configuration file: what all programs share, and a section for each. */
export function configSchema(): ValueSchema {
  const sections = PROGRAM_NAMES.map((name) => [name, sectionSchema(name)] as const);
  const shared = sections.flatMap(([, { properties }]) => Object.entries(properties));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Options of the processes of a sohu cluster',
    description:
      'Flags come first, then the environment, then this file; a section before the rest.',
    type: 'object',
    additionalProperties: false,
    properties: {
      [SCHEMA_FIELD]: { type: 'string' },
      ...Object.fromEntries(shared.reverse()),
      ...Object.fromEntries(sections),
    },
  };
}

function sectionSchema(name: ProgramName) {
  const { options } = makeProgram(name);
  const filed = options.filter((option) => !UNFILED_OPTIONS.includes(optionName(option)));
  return {
    type: 'object',
    description: makeProgram(name).description(),
    additionalProperties: false,
    properties: Object.fromEntries(filed.map((option) => [optionName(option), describe(option)])),
  };
}

function describe(option: Option): ValueSchema {
  const fallback = option.defaultValue;
  return {
    ...schemaOf(option),
    description: isSwitch(option) ? `${option.long}: ${option.description}` : option.description,
    ...(fallback !== undefined && { default: fallback }),
  };
}
