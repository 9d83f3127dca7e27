/**
 * What every part of the operator needs of a logger; pino's has this shape. Messages are static, facts go into fields, and an error
 * goes into the field `err`.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
