/** Real receivers on this machine: an HTTP server and an SMTP server, which keep what came and drop repeats by id. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';

export type HttpMessage = { path: string; headers: IncomingHttpHeaders; body: string };

export type HttpReceiver = {
  port: number;
  /** Everything that came, repeats included. */
  arrived: HttpMessage[];
  /** What a receiver keeps that drops messages whose id it knows. */
  kept: Map<string, HttpMessage>;
  /** Chooses the answer; 204 unless a test says otherwise. */
  answer: (message: HttpMessage) => { status: number; headers?: Record<string, string>; body?: string };
  stop: () => Promise<void>;
};

export const startHttpReceiver = async (): Promise<HttpReceiver> => {
  const receiver: Omit<HttpReceiver, 'port' | 'stop'> = { arrived: [], kept: new Map(), answer: () => ({ status: 204 }) };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') };
      receiver.arrived.push(message);
      const { status, headers, body } = receiver.answer(message);
      const id = request.headers['webhook-id'];
      if (status < 300 && typeof id === 'string' && !receiver.kept.has(id)) receiver.kept.set(id, message);
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return Object.assign(receiver, { port, stop });
};

export type Mail = { from: string; to: string[]; source: string; messageId: string };

export type SmtpReceiver = {
  port: number;
  arrived: Mail[];
  kept: Map<string, Mail>;
  /** Answers of the server to `RCPT TO`; `250 ok` unless a test says otherwise. */
  recipientAnswer: string;
  /** User names and passwords that were tried, decoded. */
  logins: string[];
  /** Answers one line of a greeting after the other, and never the last. */
  drips: boolean;
  stop: () => Promise<void>;
};

type Session = { from: string; to: string[]; data: string[] | null };

const mailbox = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

/** The commands of RFC 5321 that a sender needs, with AUTH PLAIN. */
const answerTo = (line: string, session: Session, receiver: Pick<SmtpReceiver, 'logins' | 'recipientAnswer'>): string => {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'EHLO') return '250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME';
  if (verb === 'AUTH') {
    receiver.logins.push(Buffer.from(line.split(' ')[2] ?? '', 'base64').toString('utf8').split('\0').slice(1).join(':'));
    return '235 welcome';
  }
  if (verb === 'STAR') return '502 not here';
  if (verb === 'MAIL') session.from = mailbox(line);
  if (verb === 'RCPT') {
    session.to.push(mailbox(line));
    return receiver.recipientAnswer;
  }
  if (verb === 'DATA') {
    session.data = [];
    return '354 go on';
  }
  return verb === 'QUIT' ? '221 bye' : '250 ok';
};

const keep = (session: Session, receiver: Pick<SmtpReceiver, 'arrived' | 'kept'>): void => {
  const source = (session.data ?? []).map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n');
  const messageId = /^message-id:\s*(<[^>]+>)/im.exec(source)?.[1] ?? '';
  const mail = { from: session.from, to: session.to, source, messageId };
  receiver.arrived.push(mail);
  if (!receiver.kept.has(messageId)) receiver.kept.set(messageId, mail);
};

const converse = (socket: Socket, receiver: Omit<SmtpReceiver, 'port' | 'stop'>): void => {
  let session: Session = { from: '', to: [], data: null };
  let rest = '';
  socket.on('error', () => undefined);
  if (receiver.drips) {
    const timer = setInterval(() => socket.write('220-wait\r\n'), 50);
    socket.once('close', () => clearInterval(timer));
    return;
  }
  socket.write('220 test ESMTP\r\n');
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('utf8')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (session.data === null) {
        socket.write(`${answerTo(line, session, receiver)}\r\n`);
      } else if (line !== '.') {
        session.data.push(line);
      } else {
        keep(session, receiver);
        session = { from: '', to: [], data: null };
        socket.write('250 taken\r\n');
      }
    }
  });
};

export const startSmtpReceiver = async (): Promise<SmtpReceiver> => {
  const receiver: Omit<SmtpReceiver, 'port' | 'stop'> = { arrived: [], kept: new Map(), recipientAnswer: '250 ok', logins: [], drips: false };
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    converse(socket, receiver);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = (): Promise<void> => {
    sockets.forEach((socket) => socket.destroy());
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return Object.assign(receiver, { port, stop });
};
