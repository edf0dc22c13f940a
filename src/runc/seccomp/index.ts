export { compileFilter, compileSeccomp, knownSeccompFlags, type SeccompFilter } from './compile.ts';
export { architectures, nativeArchitecture } from './syscalls.ts';
