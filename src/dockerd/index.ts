export { type AddressPool, type Config, configFrom, parseFile, readInvocation } from './config/config.ts';
export { parseFlags } from './config/flags.ts';
export { createEngine, type Engine, type EngineOptions } from './engine.ts';
export type { EngineEvent } from './event/event-log.ts';
export { createLog, type Log, type LogLevel } from './log.ts';
