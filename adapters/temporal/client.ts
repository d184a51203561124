/** The client of the Temporal server for everything that asks it something: the API, and activities through WorkflowControl. */
import { Client, Connection } from '@temporalio/client';

/** gRPC waits up to two minutes between attempts after a long outage; users wait for the first one that works. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 };

/** Connects with its first question: a process starts while Temporal is down, and finds it when it comes. */
export const createTemporalClient = (temporal: { address: string; namespace: string }): { client: Client; close: () => Promise<void> } => {
  const connection = Connection.lazy({ address: temporal.address, channelArgs: RECONNECT });
  return { client: new Client({ connection, namespace: temporal.namespace }), close: () => connection.close() };
};
