import { openPage } from '../lib/page';
import Record from './Record.svelte';

void openPage(Record);
