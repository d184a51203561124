import { z } from 'zod';

/** An ISO 8601 period of whole months or days; months are calendar months in UTC. */
export const Period = z.string().regex(/^P([1-9]\d{0,2})(M|D)$/, 'a period such as P1M or P14D');
