/** Entry: draws the console. */
import { render } from 'preact';
import { App } from './app.tsx';
import { loadSession } from './state/session.ts';
import './style/theme.css';
import './style/layout.css';
import './style/parts.css';
import './style/plots.css';

const root = document.querySelector('#app');
if (root === null) throw new Error('the page has no #app');
render(<App />, root);
void loadSession();
