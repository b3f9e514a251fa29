import type { SohuClient } from '../client/index.ts';

/** What a gateway needs of the cluster behind it; a `SohuClient` is one. */
export type Engine = Pick<SohuClient, 'generateStream' | 'serverInfo'>;
