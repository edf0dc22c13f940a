import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { lintFile, lintStage } from './lint.ts';
import { CheckOptions, ruleUrl } from './rules.ts';

const file = `ARG DEFLT
from busybox AS Stage
MAINTAINER x
ENV A b
CMD echo hi
RUN echo $UNDEF \\

  foo
FROM --platform=linux/amd64 busybox as two
ARG MY_PASSWORD
ENV AWS_SECRET_ACCESS_KEY=x PUBLIC_KEY=y
CMD ["a"]
CMD ["b"]
FROM busybox AS two
FROM busybox as scratch
FROM --platform=$TARGETPLATFORM busybox:$NOPE
EXPOSE 80/TCP
EXPOSE 127.0.0.1:80:80
`;

test('the checks of the file are those of BuildKit, in its order', () => {
  assert.deepEqual(
    lintFile(parseDockerfile(file)).map(({ rule, range }) => `${rule} ${range.start}`),
    [
      'NoEmptyContinuation 8',
      'StageNameCasing 2',
      'FromAsCasing 2',
      'MaintainerDeprecated 3',
      'FromAsCasing 9',
      'FromAsCasing 15',
      'DuplicateStageName 14',
      'ReservedStageName 15',
      'ConsistentInstructionCasing 2',
      'FromPlatformFlagConstDisallowed 9',
      'InvalidDefaultArgInFrom 16',
      'UndefinedArgInFrom 16',
      'RedundantTargetPlatform 16',
    ],
  );
});

test('the checks of stages name the instruction', () => {
  assert.deepEqual(
    parseDockerfile(file)
      .stages.flatMap(lintStage)
      .map(({ rule, range }) => `${rule} ${range.start}`),
    [
      'LegacyKeyValueFormat 4',
      'JSONArgsRecommended 5',
      'SecretsUsedInArgOrEnv 10',
      'SecretsUsedInArgOrEnv 11',
      'MultipleInstructionsDisallowed 12',
      'ExposeProtoCasing 17',
      'ExposeInvalidFormat 18',
    ],
  );
});

test('what is skipped does not apply, what is experimental only where it is asked for', () => {
  const options = new CheckOptions('skip=StageNameCasing,fromascasing;error=true');
  assert.equal(options.applies('StageNameCasing'), false);
  assert.equal(options.applies('FromAsCasing'), false);
  assert.equal(options.applies('UndefinedVar'), true);
  assert.equal(options.applies('CopyIgnoredFile'), false);
  assert.equal(options.failOnWarning, true);
  assert.equal(new CheckOptions('experimental=all').applies('CopyIgnoredFile'), true);
  assert.equal(new CheckOptions('skip=all').applies('UndefinedVar'), false);
});

test('a rule has its page', () => {
  assert.equal(ruleUrl('JSONArgsRecommended'), 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/');
});
