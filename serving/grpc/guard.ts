/**
 * Every call passes here before its message is read: whoever has no key is turned away without one byte of it being kept, and whoever sends too slowly loses
 * the call.
 */
import { ServerInterceptingCall, status, type Metadata, type ServerInterceptor, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { PerennialFailure } from '../../domain/failure.ts';
import type { Access, GatewayPermission } from '../access.ts';
import { grpcFailure } from './statuses.ts';

/** As long as an HTTP request may take to come. */
const MESSAGE_MS = 30_000;

/** What each method asks for; null: it is open, as health is. A method that is not named here is refused. */
export type MethodPermissions = ReadonlyMap<string, GatewayPermission | null>;

type Parts = { access: Access; permissions: MethodPermissions; log: Logger; messageMs?: number };

/** Undefined when the call may go on at once. */
const check = ({ access, permissions }: Parts, path: string, metadata: Metadata): Promise<void> | undefined => {
  const permission = permissions.get(path);
  if (permission === null) return undefined;
  if (permission === undefined) throw new PerennialFailure('PermissionDenied', 'Nothing is allowed to this method.');
  const [authorization] = metadata.get('authorization');
  const checkKey = (): void => access.check(typeof authorization === 'string' ? authorization : undefined, permission);
  if (!access.isKnown()) return access.known().then(checkKey);
  checkKey();
  return undefined;
};

export const createGuard = (parts: Parts): ServerInterceptor => {
  const { log, messageMs = MESSAGE_MS } = parts;
  const refuse = (call: ServerInterceptingCallInterface, error: unknown): void => {
    if (!(error instanceof PerennialFailure)) log.error({ err: error }, 'a call failed unexpectedly');
    call.sendStatus(grpcFailure(error).sent);
  };
  return (method, call) => {
    const tooSlow = setTimeout(() => call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: `The request did not come within ${messageMs} ms.` }), messageMs);
    tooSlow.unref();
    const onReceiveMetadata = (metadata: Metadata, next: (metadata: Metadata) => void): void => {
      try {
        const checking = check(parts, method.path, metadata);
        if (checking === undefined) next(metadata);
        else checking.then(() => next(metadata), (error: unknown) => refuse(call, error));
      } catch (error) {
        refuse(call, error);
      }
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata,
          onReceiveMessage: (message, pass) => pass(message),
          onReceiveHalfClose: (pass) => {
            clearTimeout(tooSlow);
            pass();
          },
          onCancel: () => clearTimeout(tooSlow),
        }),
    });
  };
};
