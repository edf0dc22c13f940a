import { posix } from 'node:path';
import type { TextInstruction } from '../../dockerfile/instruction.ts';
import { type Conversion, expandIn } from '../context.ts';
import { addHistory, type StageState, stepName } from '../stage.ts';

/** WORKDIR: made where missing, owned by the current USER; any but / is a layer. */
export function workdir(conversion: Conversion, stage: StageState, instruction: TextInstruction): void {
  const given = expandIn(conversion, stage, instruction.text, instruction.range);
  if (!given.startsWith('/') && (stage.config.WorkingDir ?? '') === '') {
    conversion.warnings.push({
      rule: 'WorkdirRelativePath',
      message: `Relative workdir "${given}" can have unexpected results if the base image changes`,
      range: instruction.range,
    });
  }
  const path = posix.resolve('/', stage.config.WorkingDir || '/', given);
  stage.config.WorkingDir = path;
  const name = stepName(stage, `WORKDIR ${path}`);
  if (path !== '/') {
    stage.rootfs = {
      kind: 'file',
      name,
      range: instruction.range,
      platform: stage.platform,
      ...(stage.rootfs !== undefined && { base: stage.rootfs }),
      actions: [{ action: 'mkdir', path, mode: 0o755, user: stage.config.User ?? '' }],
      link: false,
    };
  }
  addHistory(stage, `WORKDIR ${path}`, path !== '/');
}
