import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { assert } from '../../core/support/errors.ts';
import { isEnum, isService, isType } from './proto-objects.ts';

const { FileDescriptorProto, FieldDescriptorProto } = descriptor;
const FIELD_TYPES = FieldDescriptorProto.lookupEnum('Type').values;
const OPTIONAL = 1;
const REPEATED = 3;

/** What one .proto file declares. */
export interface ProtoFile {
  /** Path from the root of all .proto files. */
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly declarations: readonly protobuf.ReflectionObject[];
}

/** The encoded google.protobuf.FileDescriptorProto of a file in proto3. */
export function encodeFileDescriptor(file: ProtoFile): Uint8Array {
  const { declarations } = file;
  return FileDescriptorProto.encode({
    name: file.name,
    package: declarations[0]?.parent?.fullName.slice(1) ?? '',
    dependency: [...file.dependencies],
    syntax: 'proto3',
    messageType: declarations.filter(isType).map(messageDescriptor),
    enumType: declarations.filter(isEnum).map((each) => each.toDescriptor()),
    service: declarations.filter(isService).map((each) => each.toDescriptor()),
  }).finish();
}

/**
 * The library's own conversion of messages abbreviates type names and names the entries of maps in
 * its own way, which other implementations do not take.
 */
function messageDescriptor(type: protobuf.Type): descriptor.IDescriptorProto {
  const oneofs = [
    ...type.oneofsArray.filter((oneof) => !isSynthetic(oneof)),
    ...type.oneofsArray.filter(isSynthetic),
  ];
  const maps = type.fieldsArray.filter((field) => field instanceof protobuf.MapField);
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => fieldDescriptor(field, oneofs)),
    nestedType: [
      ...type.nestedArray.filter(isType).map(messageDescriptor),
      ...maps.map(entryDescriptor),
    ],
    enumType: type.nestedArray.filter(isEnum).map((each) => each.toDescriptor()),
    oneofDecl: oneofs.map(({ name }) => ({ name })),
  };
}

function fieldDescriptor(
  field: protobuf.Field,
  oneofs: readonly protobuf.OneOf[],
): descriptor.IFieldDescriptorProto {
  const isMap = field instanceof protobuf.MapField;
  const oneofIndex = field.partOf === null ? -1 : oneofs.indexOf(field.partOf);
  const isOptional = field.partOf !== null && isSynthetic(field.partOf);
  return {
    name: field.name,
    jsonName: protobuf.util.camelCase(field.name),
    number: field.id,
    label: field.repeated || isMap ? REPEATED : OPTIONAL,
    ...(isMap
      ? { ...typeCode('message'), typeName: `${field.parent?.fullName}.${entryName(field)}` }
      : valueType(field)),
    ...(oneofIndex >= 0 && { oneofIndex }),
    ...(isOptional && { proto3Optional: true }),
  };
}

/** A map is a repeated message of keys and values. */
function entryDescriptor(field: protobuf.MapField): descriptor.IDescriptorProto {
  const label = OPTIONAL;
  return {
    name: entryName(field),
    field: [
      { name: 'key', jsonName: 'key', number: 1, label, ...typeCode(field.keyType) },
      { name: 'value', jsonName: 'value', number: 2, label, ...valueType(field) },
    ],
    options: { mapEntry: true },
  };
}

function entryName({ name }: protobuf.MapField): string {
  return `${protobuf.util.ucFirst(protobuf.util.camelCase(name))}Entry`;
}

function valueType({
  type,
  resolvedType,
}: protobuf.Field | protobuf.MapField): descriptor.IFieldDescriptorProto {
  if (resolvedType === null) return typeCode(type);
  const kind = resolvedType instanceof protobuf.Enum ? 'enum' : 'message';
  return { ...typeCode(kind), typeName: resolvedType.fullName };
}

function typeCode(name: string): descriptor.IFieldDescriptorProto {
  const type = FIELD_TYPES[`TYPE_${name.toUpperCase()}`];
  assert(type !== undefined, `protobuf has no type "${name}"`);
  return { type };
}

/** The oneof that stands for `optional`. */
function isSynthetic({ fieldsArray }: protobuf.OneOf): boolean {
  return fieldsArray.some(({ options }) => options?.proto3_optional === true);
}
