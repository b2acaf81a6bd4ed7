/** Starts the page. */
import { Explorer } from './explorer.ts';

new Explorer();
