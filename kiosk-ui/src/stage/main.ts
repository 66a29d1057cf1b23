import { openPage } from '../lib/page';
import Stage from './Stage.svelte';

void openPage(Stage);
