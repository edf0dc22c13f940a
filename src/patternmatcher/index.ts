export { IgnoreRules, patternSource } from './patterns.ts';
