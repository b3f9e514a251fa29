import { readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import protobuf from 'protobufjs';
import { encodeFileDescriptor } from './file-descriptor.ts';
import { declarationsOf, referencesOf, symbolsOf, topLevelOf } from './proto-objects.ts';

interface IndexedFile {
  readonly dependencies: readonly string[];
  readonly bytes: Uint8Array;
}

/** The .proto files of a program as descriptors, found by name and by what they declare. */
export class ProtoFiles {
  readonly #files = new Map<string, IndexedFile>();
  readonly #fileOfSymbol = new Map<string, string>();
  readonly #services: string[] = [];

  /** Reads every .proto file below a directory, from which their names count. */
  constructor(directory: string) {
    const declarations = new Map<string, protobuf.ReflectionObject[]>();
    for (const object of declarationsOf(load(directory))) {
      const name = fileNameOf(object, directory);
      declarations.set(name, [...(declarations.get(name) ?? []), object]);
    }
    for (const [name, objects] of declarations) this.#index(name, { objects, directory });
  }

  /** The encoded descriptors of a file and of all that it imports, the file first. */
  fileNamed(name: string): readonly Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const names = new Set([name]);
    // The set grows while it is walked.
    for (const each of names) {
      for (const dependency of this.#files.get(each)!.dependencies) names.add(dependency);
    }
    return [...names].map((each) => this.#files.get(each)!.bytes);
  }

  /** The same for the file that declares a fully qualified symbol. */
  fileDeclaring(symbol: string): readonly Uint8Array[] | undefined {
    const name = this.#fileOfSymbol.get(symbol);
    return name === undefined ? undefined : this.fileNamed(name);
  }

  /** The full name of a service that calls name by it, or by its last part. */
  fullServiceName(name: string): string | undefined {
    return this.#services.find((full) => full === name || full.endsWith(`.${name}`));
  }

  #index(
    name: string,
    file: { readonly objects: readonly protobuf.ReflectionObject[]; readonly directory: string },
  ): void {
    const { objects, directory } = file;
    const used = objects.flatMap((object) => [...referencesOf(object)]);
    const files = used.map((object) => fileNameOf(topLevelOf(object), directory));
    const dependencies = [...new Set(files)].filter((each) => each !== name).sort();
    const bytes = encodeFileDescriptor({ name, dependencies, declarations: objects });
    this.#files.set(name, { dependencies, bytes });
    for (const object of objects) {
      for (const symbol of symbolsOf(object)) this.#fileOfSymbol.set(symbol, name);
      if (object instanceof protobuf.Service) this.#services.push(object.fullName.slice(1));
    }
  }
}

function load(directory: string): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, path) => (isAbsolute(path) ? path : join(directory, path));
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.proto')).sort();
  root.loadSync(files, { keepCase: true }).resolveAll();
  return root;
}

/** The library carries the files of google.protobuf itself, and does not say where each ends. */
function fileNameOf(object: protobuf.ReflectionObject, directory: string): string {
  if (object.filename !== null) return relative(directory, object.filename);
  const stem = BUNDLED_STEMS.find((each) => {
    const bundled = protobuf.common.get(`google/protobuf/${each}.proto`) as BundledFile | null;
    return bundled?.nested.google.nested.protobuf.nested[object.name] !== undefined;
  });
  return `google/protobuf/${stem ?? object.name.toLowerCase()}.proto`;
}

const BUNDLED_STEMS = ['any', 'duration', 'empty', 'field_mask', 'struct', 'timestamp', 'wrappers'];

interface BundledFile {
  readonly nested: {
    readonly google: {
      readonly nested: {
        readonly protobuf: { readonly nested: Readonly<Record<string, unknown>> };
      };
    };
  };
}
