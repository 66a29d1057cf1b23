import { openPage } from '../lib/page';
import Summary from './Summary.svelte';

void openPage(Summary);
