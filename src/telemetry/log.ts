import { type DestinationStream, destination, type Level, pino, stdTimeFunctions } from 'pino';
import type { Log } from '../runtime/log.ts';
import { printable } from './log-fields.ts';
import { asText } from './log-text.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const satisfies readonly Level[];
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogOptions {
  level: LogLevel;
  /** `json`: one object on each line, for machines. `text`: one line for humans. */
  format: LogFormat;
  /** Standard output by default. */
  output?: DestinationStream;
}

/**
 * Creates the log of the process. Fields are printed in a safe form: see {@link printable}. Lines are written synchronously, so that the last one before an
 * exit is not lost.
 */
export function createLog({ level, format, output = destination({ dest: 1, sync: true }) }: LogOptions): Log {
  const hasStacks = level === 'trace' || level === 'debug';
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      // The serializer of pino prints all fields of every object that has a message.
      serializers: { err: (err: unknown) => err },
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'text' ? { write: (line) => output.write(asText(line)) } : output,
  );
  function writer(method: keyof Log) {
    return (fields: object, message: string): void => {
      if (logger.isLevelEnabled(method)) logger[method](printable(fields, { hasStacks }), message);
    };
  }
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
