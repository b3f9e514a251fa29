import protobuf from 'protobufjs';

/** Messages, enums and services that stand at the top of a file. */
export function* declarationsOf(
  namespace: protobuf.NamespaceBase,
): Iterable<protobuf.ReflectionObject> {
  for (const object of namespace.nestedArray) {
    if (isType(object) || isEnum(object) || isService(object)) yield object;
    else if (object instanceof protobuf.Namespace) yield* declarationsOf(object);
  }
}

/** The declaration at the top of a file that an object belongs to. */
export function topLevelOf(object: protobuf.ReflectionObject): protobuf.ReflectionObject {
  const { parent } = object;
  return parent instanceof protobuf.Type ? topLevelOf(parent) : object;
}

/** The messages and enums that a declaration mentions. */
export function* referencesOf(
  object: protobuf.ReflectionObject,
): Iterable<protobuf.Type | protobuf.Enum> {
  if (isService(object)) {
    for (const { resolvedRequestType, resolvedResponseType } of object.methodsArray) {
      if (resolvedRequestType !== null) yield resolvedRequestType;
      if (resolvedResponseType !== null) yield resolvedResponseType;
    }
  }
  if (!isType(object)) return;
  for (const { resolvedType } of object.fieldsArray) if (resolvedType !== null) yield resolvedType;
  for (const nested of object.nestedArray) yield* referencesOf(nested);
}

/** The fully qualified names of a declaration and of all in it. */
export function* symbolsOf(object: protobuf.ReflectionObject): Iterable<string> {
  const fullName = object.fullName.slice(1);
  yield fullName;
  if (isService(object)) for (const { name } of object.methodsArray) yield `${fullName}.${name}`;
  if (isEnum(object)) {
    // The values of an enum are its neighbours.
    const scope = fullName.slice(0, -object.name.length);
    for (const name of Object.keys(object.values)) yield scope + name;
  }
  if (!isType(object)) return;
  for (const { name } of [...object.fieldsArray, ...object.oneofsArray])
    yield `${fullName}.${name}`;
  for (const nested of object.nestedArray) yield* symbolsOf(nested);
}

export function isType(object: protobuf.ReflectionObject): object is protobuf.Type {
  return object instanceof protobuf.Type;
}

export function isEnum(object: protobuf.ReflectionObject): object is protobuf.Enum {
  return object instanceof protobuf.Enum;
}

export function isService(object: protobuf.ReflectionObject): object is protobuf.Service {
  return object instanceof protobuf.Service;
}
