import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseClaim } from '../../services/core/claim/parse-claim.ts';
import { InvalidArgumentError, ModelError } from '../../services/core/support/errors.ts';
import { architectureOf, ETCHED_JSON, makeClaim } from '../support/claims.ts';

suite('the file of a claim', () => {
  test('may leave out what is not known', () => {
    const claim = makeClaim({
      gpu_utilization: undefined,
      clock_hertz: undefined,
      comparisons: undefined,
      sources: undefined,
      precision: undefined,
    });
    assert.equal(claim.gpuUtilization, undefined);
    assert.deepEqual(claim.clockHertz, { low: 1.5e9, high: 1.8e9 });
    assert.deepEqual(claim.comparisons, []);
    assert.equal(claim.precision.weights, 'fp8');
  });

  const refusals: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ tokens_per_secnd: 1 }, /claim.field must be one of .+; the nearest is tokens_per_second$/],
    [{ tokens_per_second: 0 }, /^tokens_per_second must be a number above 0, not 0$/],
    [{ tokens_per_second: undefined }, /^tokens_per_second must be a number above 0, not missing$/],
    [{ chips: 2.5 }, /^chips must be an integer from 1 to 65536, not 2.5$/],
    [{ utilization: 90 }, /^utilization must be a share above 0 and up to 1, not 90; 90 % is 0.9$/],
    [{ utilization: { low: 0.9, high: 0.8 } }, /^utilization must be a number .+ in that order/],
    [{ chip: 'Sohoo' }, /^chip must be one of .+; the nearest is Sohu$/],
    [
      { chip: 'A100' },
      /^precision must be one of int8, bf16 on A100, not fp8; the nearest is int8$/,
    ],
    [{ chip: { name: 'X' } }, /^chip.memory_bytes must be a number above 0, or .+, not missing$/],
    [{ chip: { nam: 'X' } }, /^chip.field must be one of .+; the nearest is name$/],
    [{ model: 'llama-3-71b' }, /^model must be one of .+; the nearest is llama-3-70b$/],
    [{ model: 'wan-2.1-14b' }, /^model must write tokens.+nearest is llama-3-70b$/],
    [{ precision: 'fp9' }, /^precision must be one of fp4, fp8, .+; the nearest is fp/],
    [{ comparisons: [{ chip: 'H10' }] }, /^chip must be one of .+; the nearest is H100$/],
    [{ comparisons: {} }, /^comparisons must be a list of objects, not {}$/],
    [
      { comparisons: [{ chip: 'H100', chips: 0 }] },
      /^comparisons\[0\].chips must be an integer from 1 to 65536, not 0$/,
    ],
    [{ sources: { utilisation: 'x' } }, /^sources.field must be one of .+ is utilization$/],
    [{ name: '' }, /^name must be a text, not ""$/],
  ];
  for (const [changes, says] of refusals) {
    test(`is refused with the field: ${JSON.stringify(changes)}`, () => {
      assert.throws(
        () => makeClaim(changes),
        (error: unknown) => {
          assert.ok(error instanceof InvalidArgumentError, `${error}`);
          assert.match(error.message, says);
          return true;
        },
      );
    });
  }

  test('is read or refused in one line, whatever a field holds', () => {
    const property = fc.property(
      fc.constantFrom(...Object.keys(ETCHED_JSON)),
      fc.jsonValue(),
      (field, value) => {
        try {
          parseClaim({ ...ETCHED_JSON, [field]: value }, architectureOf);
        } catch (error) {
          const isModel = field === 'model' && error instanceof ModelError;
          assert.ok(isModel || error instanceof InvalidArgumentError, `${field}: ${error}`);
          assert.ok(!error.message.includes('\n'));
        }
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  test('that is no object is refused', () => {
    assert.throws(() => parseClaim([], architectureOf), /^InvalidArgumentError: claim must be a/);
  });
});
