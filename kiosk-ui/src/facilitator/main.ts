import { openPage } from '../lib/page';
import Facilitator from './Facilitator.svelte';

void openPage(Facilitator);
