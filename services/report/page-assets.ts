import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Markup } from './markup.ts';
import { PAGE_STYLE } from './page-style.ts';

/** What a page needs to draw its plots, without asking anybody for anything. */
export interface PageAssets {
  readonly style: Markup;
  readonly scripts: readonly Markup[];
  /** Lets these scripts run and no other, and nothing be fetched. */
  readonly contentSecurityPolicy: string;
}

/** Reads uPlot, as its package brings it, and the script that feeds it. */
export function readPageAssets(): PageAssets {
  const scripts = [
    readText(import.meta.resolve('uplot/dist/uPlot.iife.min.js')),
    readText(new URL('./page/draw-plots.js', import.meta.url).href),
  ];
  const style = readText(import.meta.resolve('uplot/dist/uPlot.min.css')) + PAGE_STYLE;
  return {
    style: new Markup(style),
    scripts: scripts.map((script) => new Markup(script)),
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src ${scripts.map(hashOf).join(' ')}`,
      // Bars have their lengths in attributes.
      "style-src 'unsafe-inline'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
    ].join('; '),
  };
}

function readText(url: string): string {
  return readFileSync(fileURLToPath(url), 'utf8');
}

function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
