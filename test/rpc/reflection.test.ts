import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { suite, test } from 'node:test';
import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { Health } from '../../services/rpc/health/health.ts';
import { serveHealth } from '../../services/rpc/health/health-service.ts';
import { GENERATE } from '../../services/rpc/inference-methods.ts';
import { ProtoFiles } from '../../services/rpc/reflection/proto-files.ts';
import {
  REFLECT,
  type ReflectionQuestion,
  serveReflection,
} from '../../services/rpc/reflection/reflection-service.ts';
import { BROKERS, makePair, STREAM } from './toy-service.ts';

const files = new ProtoFiles('proto');

/** The descriptors as another implementation of protobuf reads them. */
function decoded(descriptors: readonly Uint8Array[] | undefined): FileDescriptorProto[] {
  assert.ok(descriptors !== undefined);
  return descriptors.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

/** That implementation resolves every name, or throws. */
function registryOf(descriptors: readonly Uint8Array[] | undefined) {
  // It wants imports before those who import.
  const file = decoded(descriptors).reverse();
  const sorted = new Map<string, FileDescriptorProto>();
  while (sorted.size < file.length) {
    const next = file.find(
      ({ name, dependency }) => !sorted.has(name) && dependency.every((each) => sorted.has(each)),
    );
    assert.ok(next !== undefined, 'an import is missing');
    sorted.set(next.name, next);
  }
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...sorted.values()] }));
}

suite('descriptors of the .proto files', () => {
  const names = readdirSync('proto', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.proto'))
    .sort();

  test('another implementation reads all of them, with everything that they import', () => {
    assert.ok(names.length >= 8);
    for (const name of names) {
      const registry = registryOf(files.fileNamed(name));
      assert.ok(registry.getFile(name) !== undefined, name);
    }
  });

  test('services, streams, maps, oneofs and optional fields are what the files say', () => {
    const registry = registryOf(files.fileDeclaring('sohu.v1.Inference'));
    const generate = registry.getService('sohu.v1.Inference')?.method.generate;
    assert.equal(generate?.methodKind, 'server_streaming');
    assert.equal(generate.input.typeName, 'sohu.v1.GenerateRequest');
    const sampling = registry.getMessage('sohu.v1.SamplingParams');
    const seed = sampling?.field.seed;
    assert.equal(seed?.proto.proto3Optional, true);
    assert.equal(seed.oneof, undefined);
    const request = registry.getMessage('sohu.v1.GenerateRequest');
    assert.deepEqual(
      request?.oneofs.map(({ name, fields }) => [name, fields.map((field) => field.name)]),
      [['input', ['tokenized', 'text']]],
    );
    const open = registryOf(files.fileNamed('sohu/v1/rpc.proto')).getMessage(
      'sohu.v1.ClientFrame.Open',
    );
    const metadata = open?.field.metadata;
    assert.equal(metadata?.fieldKind, 'map');
    assert.equal(metadata.jsonName, 'metadata');
    assert.equal(open?.field.timeoutMs?.name, 'timeout_ms');
  });

  test('symbols of every kind lead to their file', () => {
    const cases = {
      'sohu.v1.Inference': 'sohu/v1/inference.proto',
      'sohu.v1.Inference.Generate': 'sohu/v1/inference.proto',
      'sohu.v1.ServerFrame.End': 'sohu/v1/rpc.proto',
      'sohu.v1.ServerFrame.End.trailers': 'sohu/v1/rpc.proto',
      'grpc.health.v1.HealthCheckResponse.ServingStatus': 'grpc/health/v1/health.proto',
      'grpc.health.v1.HealthCheckResponse.SERVING': 'grpc/health/v1/health.proto',
      'google.rpc.Status': 'google/rpc/status.proto',
      'google.protobuf.Any': 'google/protobuf/any.proto',
    };
    for (const [symbol, name] of Object.entries(cases)) {
      assert.equal(decoded(files.fileDeclaring(symbol))[0]?.name, name, symbol);
    }
    assert.equal(files.fileDeclaring('sohu.v1.Nothing'), undefined);
    assert.equal(files.fileNamed('sohu/v1/nothing.proto'), undefined);
  });
});

for (const [name, makeBroker] of Object.entries(BROKERS)) {
  test(`reflection over ${name} lists services and gives their files`, async (t) => {
    const connect = await makeBroker(t);
    if (connect === undefined) return;
    const { server, client, serverBus } = await makePair(connect);
    server.serverStreaming(STREAM, async function* () {});
    server.serverStreaming(GENERATE, async function* () {});
    serveHealth(server, new Health());
    serveReflection(server, files);
    await serverBus.flush();
    const ask = async (question: ReflectionQuestion) => {
      const request = { host: 'rack.example', question };
      const response = await client.callUnary(REFLECT, request);
      assert.deepEqual(response.request, request);
      return response.answer;
    };
    assert.deepEqual(await ask({ kind: 'listServices' }), {
      kind: 'services',
      names: [
        'Toy',
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'sohu.v1.Inference',
      ],
    });
    const answer = await ask({ kind: 'fileContainingSymbol', symbol: 'sohu.v1.Inference' });
    assert.equal(answer.kind, 'files');
    assert.ok(registryOf(answer.descriptors).getService('sohu.v1.Inference') !== undefined);
    const byName = await ask({ kind: 'fileByFilename', name: 'sohu/v1/inference.proto' });
    assert.deepEqual(byName, answer);
    const missing = [
      { kind: 'fileByFilename', name: 'none' },
      { kind: 'fileContainingSymbol', symbol: 'none' },
    ] as const;
    for (const question of missing) {
      const reply = await ask(question);
      assert.equal(reply.kind === 'error' && reply.code, 'NOT_FOUND');
    }
    const others = [
      { kind: 'fileContainingExtension', type: 'sohu.v1.TokenizeRequest', number: 5 },
      { kind: 'extensionNumbers', type: 'sohu.v1.TokenizeRequest' },
      { kind: 'unknown' },
    ] as const;
    for (const question of others) {
      const reply = await ask(question);
      assert.equal(reply.kind === 'error' && reply.code, 'UNIMPLEMENTED');
    }
  });
}
