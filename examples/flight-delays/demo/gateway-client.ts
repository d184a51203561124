/**
 * The demo's inference client: plain HTTP over two gateways, as a load balancer or a careful client would do it.
 *
 * A request that meets a refused or reset connection is sent once more, to the other gateway. It has *failed* only if it
 * failed after that, or was answered with anything but 200.
 */
import { Agent, request } from 'node:http';

export type InferenceAnswer = { inferenceId: string; version: number; role: string; score: number; latencyMs: number };
export type InferenceRow = Record<string, number | string | null>;

/** One input tensor of the model as GET /v2/models/{m} tells it. */
export type ModelInput = { name: string; datatype: string };

const RETRYABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

type RawAnswer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };

/** A client of one model behind several gateways. `requestTimeoutMs` bounds one attempt. */
export const createGatewayClient = (options: { gateways: string[]; model: string; apiKey: string; requestTimeoutMs?: number }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let turn = 0;

  const send = (gateway: string, path: string, body: string | undefined): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        new URL(path, gateway),
        {
          agent,
          method: body === undefined ? 'GET' : 'POST',
          headers: { authorization: `Bearer ${options.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          timeout: options.requestTimeoutMs ?? 30_000,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString() }));
          incoming.on('error', reject);
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' })));
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  const sendWithOneRetry = async (path: string, body: string | undefined): Promise<RawAnswer> => {
    const first = turn++ % options.gateways.length;
    try {
      return await send(options.gateways[first]!, path, body);
    } catch (error) {
      if (!RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
      return await send(options.gateways[(first + 1) % options.gateways.length]!, path, body);
    }
  };

  /** The model's inputs, from the gateway itself. */
  const inputs = async (): Promise<ModelInput[]> => {
    const answer = await sendWithOneRetry(`/v2/models/${options.model}`, undefined);
    if (answer.status !== 200) throw new Error(`GET /v2/models/${options.model} answered ${answer.status}: ${answer.body}`);
    return (JSON.parse(answer.body) as { inputs: ModelInput[] }).inputs;
  };

  /** Scores one row. @throws Error when the request failed for good */
  const infer = async (row: InferenceRow, inputList: ModelInput[], id?: string): Promise<InferenceAnswer> => {
    const startedAt = performance.now();
    const body = JSON.stringify({
      ...(id === undefined ? {} : { id }),
      inputs: inputList.map(({ name, datatype }) => ({ name, datatype, shape: [1, 1], data: [row[name] ?? null] })),
    });
    const answer = await sendWithOneRetry(`/v2/models/${options.model}/infer`, body);
    if (answer.status !== 200) throw new Error(`inference answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    const parsed = JSON.parse(answer.body) as { model_version: string; outputs: { name: string; data: number[] }[] };
    return {
      inferenceId: String(answer.headers['x-request-id']),
      version: Number(parsed.model_version),
      role: String(answer.headers['x-perennial-role']),
      score: parsed.outputs[0]!.data[0]!,
      latencyMs: performance.now() - startedAt,
    };
  };

  return { inputs, infer, close: () => agent.destroy() };
};

export type GatewayClient = ReturnType<typeof createGatewayClient>;
