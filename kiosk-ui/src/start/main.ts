import { openPage } from '../lib/page';
import Start from './Start.svelte';

void openPage(Start);
