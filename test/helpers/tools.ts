/** Paths of the programs that tests run: the ones the product itself would use. */
import { toolPath } from '../../src/config/tools';

export const signerPath = (): string => toolPath('signer');
