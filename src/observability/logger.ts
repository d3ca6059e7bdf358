/**
 * JSON-lines log of a process.
 *
 * Owns the format, the redaction and the asynchronous writing: a log line never waits for the disk. Keys, tokens, signatures and
 * signed bytes are struck out wherever a field of that name appears, two levels deep; nobody should log them in the first place.
 */
import { pino } from 'pino';

/** What the program's parts see of the logger. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(fields: Record<string, unknown>): Logger;
};

export interface RootLogger extends Logger {
  /** Writes what is buffered; call before the process ends. */
  flush(): void;
}

export interface LoggerOptions {
  /** Name of the process: `maker`, `hedger`, `up`. */
  readonly process: string;
  readonly level?: string;
  /** File to append to; standard output when absent. */
  readonly file?: string;
}

const SECRET_FIELDS = [
  'privateKey',
  'private_key',
  'keys',
  'secret',
  'token',
  'auth',
  'authorization',
  'Authorization',
  'apiKey',
  'sig',
  'Sig',
  'signature',
  'hmac',
  'txInfo',
  'tx_info',
  'webhookUrl',
  'slackUrl',
  'botToken',
  'makerUrl',
  'hedgerUrl',
  'password',
];

export function createLogger(options: LoggerOptions): RootLogger {
  const destination = pino.destination({ dest: options.file ?? 1, sync: false, mkdir: true });
  const root = pino(
    {
      base: { process: options.process, pid: process.pid },
      level: options.level ?? 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[struck out]',
      },
    },
    destination,
  );
  return Object.assign(root, {
    flush() {
      try {
        destination.flushSync();
      } catch {
        // Not open yet, or closed by the other end: nothing left to save.
      }
    },
  });
}
