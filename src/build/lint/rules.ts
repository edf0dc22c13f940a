// The build checks (docs.docker.com, "Build checks"): their names and what they are for.

export const rules: Readonly<Record<string, string>> = {
  StageNameCasing: 'Stage names should be lowercase',
  FromAsCasing: "The 'as' keyword should match the case of the 'from' keyword",
  NoEmptyContinuation: 'Empty continuation lines will become errors in a future release',
  ConsistentInstructionCasing: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  DuplicateStageName: 'Stage names should be unique',
  ReservedStageName: 'Reserved words should not be used as stage names',
  JSONArgsRecommended:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  MaintainerDeprecated: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  UndefinedArgInFrom: 'FROM command must use declared ARGs',
  WorkdirRelativePath:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  UndefinedVar: 'Variables should be defined before their use',
  MultipleInstructionsDisallowed: 'Multiple instructions of the same type should not be used in the same stage',
  LegacyKeyValueFormat: 'Legacy key/value format with whitespace separator should not be used',
  RedundantTargetPlatform:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  SecretsUsedInArgOrEnv: 'Sensitive data should not be used in the ARG or ENV commands',
  InvalidDefaultArgInFrom: 'Default value for global ARG results in an empty or invalid base image name',
  FromPlatformFlagConstDisallowed: 'FROM --platform flag should not use a constant value',
  CopyIgnoredFile: 'Attempting to Copy file that is excluded by .dockerignore',
  ExposeProtoCasing: 'Protocol in EXPOSE instruction should be lowercase',
  ExposeInvalidFormat:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
};

/** Checks that run only where they are asked for. */
const experimental = new Set(['CopyIgnoredFile']);

/** `StageNameCasing` → its page. */
export const ruleUrl = (rule: string): string =>
  `https://docs.docker.com/go/dockerfile/rule/${rule
    .replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-')
    .toLowerCase()}/`;

/** What `# check=` or BUILDKIT_DOCKERFILE_CHECK says: `skip=A,B;error=true;experimental=all`. */
export class CheckOptions {
  readonly failOnWarning: boolean;
  readonly #skip: ReadonlySet<string>;
  readonly #experimental: ReadonlySet<string>;

  constructor(text: string | undefined) {
    const values = new Map(
      (text ?? '').split(';').map(part => {
        const [key = '', value = ''] = part.split('=');
        return [key.trim().toLowerCase(), value.trim()] as const;
      }),
    );
    const list = (key: string): Set<string> =>
      new Set(
        (values.get(key) ?? '')
          .split(',')
          .map(name => name.trim().toLowerCase())
          .filter(name => name !== ''),
      );
    this.#skip = list('skip');
    this.#experimental = list('experimental');
    this.failOnWarning = /^(1|t|true)$/i.test(values.get('error') ?? '');
  }

  applies(rule: string): boolean {
    const name = rule.toLowerCase();
    if (experimental.has(rule) && !this.#experimental.has('all') && !this.#experimental.has(name)) return false;
    return !this.#skip.has('all') && !this.#skip.has(name);
  }
}
