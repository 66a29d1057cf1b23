import { openPage } from '../lib/page';
import { openLine } from './line.svelte';
import './plain.css';
import Vote from './Vote.svelte';

const { line, firstView } = openLine();
void openPage(Vote, { line }, firstView);
