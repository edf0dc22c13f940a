export { defaultProfile } from './default-profile.ts';
export { type ProfileRule, parseProfile, type SeccompProfile } from './profile.ts';
export { type ProfileTarget, resolveProfile } from './resolve.ts';
