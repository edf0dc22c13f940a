// The grammar of references, after github.com/distribution/reference regexp.go. No expression here can backtrack more than
// linearly: every alternative is decided by its first character.

const domainComponent = '[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*';
const domainName = `${domainComponent}(?:\\.${domainComponent})*`;
const ipv6 = '\\[[a-fA-F0-9:]+\\]';
const domain = `(?:${domainName}|${ipv6})(?::[0-9]+)?`;
const pathComponent = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*';
const path = `${pathComponent}(?:/${pathComponent})*`;
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';

/** Groups: name, tag, digest. */
export const referencePattern = new RegExp(`^((?:${domain}/)?${path})(?::(${tag}))?(?:@(${digest}))?$`);
/** Groups: domain, path. */
export const namePattern = new RegExp(`^(?:(${domain})/)?(${path})$`);
export const tagPattern = new RegExp(`^${tag}$`);
/** A full image id without its algorithm: never a name. */
export const identifierPattern = /^[a-f0-9]{64}$/;

/** Longest repository name, domain included. */
export const nameMaxLength = 255;
