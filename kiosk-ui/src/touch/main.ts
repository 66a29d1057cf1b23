import { openPage } from '../lib/page';
import Touch from './Touch.svelte';

void openPage(Touch);
