import { packagePath } from '../package-info.ts';

/** The folder of the models whose sizes come with the program. */
export function cataloguePath(): string {
  return packagePath('models/catalogue');
}
