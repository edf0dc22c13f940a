import { EngineError, isNotFound, isUnauthenticated, NotFound } from '../../errdefs/index.ts';
import { RegistryError } from '../http/answer.ts';
import { familiarName, familiarString, type Reference } from '../reference/reference.ts';

/** A registry's refusal of a manifest or a repository, as moby tells it (distribution/errors.go): NotFound, the first error decides. */
export function pullFailure(err: unknown, ref: Reference): unknown {
  if (!(err instanceof RegistryError)) return withoutPrompt(err);
  const [first] = err.entries;
  const said = first === undefined ? err.message : (err.message.split('\n')[0] as string);
  const options = { cause: err };
  if (first?.code === 'DENIED' || (first === undefined && err.status === 403)) {
    const words = `pull access denied for ${familiarName(ref)}, repository does not exist or may require 'docker login'`;
    return new NotFound(`${words}: ${said}`, options);
  }
  if (first?.code === 'NAME_UNKNOWN')
    return new NotFound(`repository ${familiarName(ref)} not found: ${said}`, options);
  if (first?.code === 'MANIFEST_UNKNOWN' || isNotFound(err)) {
    return new NotFound(`manifest for ${familiarString(ref)} not found: ${said}`, options);
  }
  return withoutPrompt(err);
}

/**
 * A refusal for want of credentials, as one of no kind: moby answers 500 to it. A 401 would make the docker CLI ask for name and
 * password on the terminal in the middle of a pull.
 */
export const withoutPrompt = (err: unknown): unknown =>
  isUnauthenticated(err) ? new EngineError('Unknown', (err as Error).message, { cause: err }) : err;
