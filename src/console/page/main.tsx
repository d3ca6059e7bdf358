/** The page's beginning. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './app';

const root = document.getElementById('page');
if (root !== null) render(<App />, root);
