import { openPage } from '../lib/page';
import Single from './Single.svelte';

void openPage(Single);
