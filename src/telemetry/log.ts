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
  /** `json`: one object a line, for machines. `text`: one line for people. */
  format: LogFormat;
  /** Where lines go; standard output unless given. */
  output?: DestinationStream;
}

/**
 * The process's log. Whatever is put into the fields, an error (anywhere in them) is printed by a list of allowed fields and an object of a
 * class by the class's name alone: see `printable`. Lines are written synchronously, so that the last one before an exit is not lost.
 */
export function createLog({ level, format, output = destination({ dest: 1, sync: true }) }: LogOptions): Log {
  const stacks = level === 'trace' || level === 'debug';
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      // pino's own serializer takes whatever has a message for an error, and prints all of its fields.
      serializers: { err: (err: unknown) => err },
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'text' ? { write: (line) => output.write(asText(line)) } : output,
  );
  function writer(method: keyof Log) {
    return (fields: object, message: string): void => {
      if (logger.isLevelEnabled(method)) logger[method](printable(fields, { stacks }), message);
    };
  }
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}
