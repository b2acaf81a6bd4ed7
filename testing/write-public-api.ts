/** `npm run api`: writes spec/public-api.txt, after a public name or type has changed on purpose. */
import { writeFileSync } from 'node:fs';
import { publicApi } from './public-api.ts';

writeFileSync(new URL('../spec/public-api.txt', import.meta.url), publicApi());
