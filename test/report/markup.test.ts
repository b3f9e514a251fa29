import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { html, jsonMarkup, Markup, when } from '../../services/report/markup.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

suite('markup', () => {
  test('a text stays a text, in an element and in an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { text: page } = html`<p title="${text}">${text}</p>`;
        const match = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/.exec(page);
        assert.ok(match, page);
        for (const part of match.slice(1)) {
          const read = part.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]!);
          assert.equal(read, text);
        }
      }),
    );
  });

  test('markup is inserted as it is, lists line by line', () => {
    const item = (text: string): Markup => html`<li>${text}</li>`;
    assert.equal(
      html`<ul>${['a', '<b>'].map(item)}</ul>`.text,
      '<ul><li>a</li>\n<li>&lt;b&gt;</li></ul>',
    );
    assert.equal(
      html`${when(false, () => new Markup('x'))}${when(true, () => new Markup('<y>'))}`.text,
      '<y>',
    );
  });

  test('data cannot end the script that holds it', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (json, text) => {
        const value: unknown = [JSON.parse(json), `${text}</script><!--<script>`];
        const { text: written } = jsonMarkup(value);
        assert.ok(!written.includes('<'));
        assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
