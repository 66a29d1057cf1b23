import { openPage } from '../lib/page';
import Check from './Check.svelte';

void openPage(Check);
