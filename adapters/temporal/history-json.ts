/**
 * Histories as proto3 JSON, the form that the Temporal CLI writes and that can be replayed.
 *
 * The SDK's own `historyToJSON` fails where npm keeps several copies of protobufjs (gRPC needs another major version): it asks one
 * copy about the types of another. Here the copy is taken that the types belong to.
 */
import { createRequire } from 'node:module';
import type { History } from '@temporalio/common/lib/proto-utils.js';

type MessageType = { fromObject(value: unknown): unknown };
type Proto = { lookupType(name: string): MessageType };
type ProtoJson = { toJson(type: MessageType, message: unknown): unknown; fromJson(type: MessageType, json: unknown, options: { ignoreUnknownFields: boolean }): unknown };

const requireFromCommon = createRequire(createRequire(import.meta.url).resolve('@temporalio/common'));
const requireFromProto = createRequire(requireFromCommon.resolve('@temporalio/proto'));
const historyType = (requireFromCommon('@temporalio/proto') as Proto).lookupType('temporal.api.history.v1.History');
const { toJson, fromJson } = requireFromProto('protobufjs/ext/protojson') as ProtoJson;

export const historyToJson = (history: History): string => JSON.stringify(toJson(historyType, historyType.fromObject(history)));

/** The way back, to replay a stored history; fields of a newer server are ignored. @throws Error when it is no history */
export const historyFromJson = (text: string): History => fromJson(historyType, JSON.parse(text), { ignoreUnknownFields: true }) as History;
