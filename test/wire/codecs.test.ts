import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { decodeCommand, encodeCommand } from '../../services/wire/command-codec.ts';
import { decodeFrame, encodeFrame } from '../../services/wire/frame-codec.ts';
import { decodeReport, encodeReport } from '../../services/wire/report-codec.ts';
import { GroupSubjects } from '../../services/wire/subjects.ts';
import { bytesToFloats, floatsToBytes } from '../../services/wire/tensor-bytes.ts';
import { arbitraryCommand, arbitraryFrame, arbitraryReport } from './arbitraries.ts';

/** A frame's payload is a view of what was received; only its bytes count. */
function decodedFrame(data: Uint8Array): unknown {
  const decoded = decodeFrame(data);
  if (decoded.kind !== 'frame') return decoded.kind;
  return { ...decoded.frame, payload: new Uint8Array(decoded.frame.payload) };
}

/** A valid encoding with some bytes changed, removed or put in. */
const arbitraryDamage = fc.array(
  fc.record({
    kind: fc.constantFrom('change', 'remove', 'insert'),
    index: fc.nat(),
    byte: fc.nat({ max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
);

function damage(
  data: Uint8Array,
  changes: readonly { readonly kind: string; readonly index: number; readonly byte: number }[],
): Uint8Array {
  const bytes = [...data];
  for (const { kind, index, byte } of changes) {
    const place = index % (bytes.length + 1);
    if (kind === 'insert') bytes.splice(place, 0, byte);
    else if (kind === 'remove') bytes.splice(place, 1);
    else bytes[place] = byte;
  }
  return Uint8Array.from(bytes);
}

suite('frames on the wire', () => {
  test('come back as they were', () => {
    const property = fc.property(arbitraryFrame, (frame) => {
      assert.deepEqual(decodedFrame(encodeFrame(frame)), frame);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('any flipped bit is found, unless the frame means the same', () => {
    const property = fc.property(arbitraryFrame, (frame) => {
      const data = encodeFrame(frame);
      for (let bit = 0; bit < 8 * data.length; bit++) {
        const flipped = data.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        const decoded = decodedFrame(flipped);
        if (typeof decoded !== 'string') assert.deepEqual(decoded, frame, `bit ${bit}`);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('damage is found, unless the frame means the same', () => {
    const property = fc.property(arbitraryFrame, arbitraryDamage, (frame, changes) => {
      const decoded = decodedFrame(damage(encodeFrame(frame), changes));
      if (typeof decoded !== 'string') assert.deepEqual(decoded, frame);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test('a payload that was cut off is found', () => {
    const payload = new Uint8Array(64);
    const frame = { ...fc.sample(arbitraryFrame, 1)[0]!, payload };
    const data = encodeFrame(frame);
    for (let length = 0; length < data.length; length++) {
      assert.equal(typeof decodedFrame(data.subarray(0, length)), 'string');
    }
  });
});

suite('commands and reports on the wire', () => {
  test('commands come back as they were', () => {
    const property = fc.property(arbitraryCommand, (command) => {
      assert.deepEqual(decodeCommand(encodeCommand(command)), command);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('reports come back as they were', () => {
    const property = fc.property(arbitraryReport, (report) => {
      assert.deepEqual(decodeReport(encodeReport(report)), report);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test('bytes of any kind give a message or nothing, never an exception', () => {
    const decodeAll = (data: Uint8Array): void => {
      decodeFrame(data);
      decodeCommand(data);
      decodeReport(data);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), decodeAll), { numRuns: 3000 });
    const encoded = fc.oneof(
      arbitraryFrame.map(encodeFrame),
      arbitraryCommand.map(encodeCommand),
      arbitraryReport.map(encodeReport),
    );
    const property = fc.property(encoded, arbitraryDamage, (data, changes) =>
      decodeAll(damage(data, changes)),
    );
    fc.assert(property, { numRuns: 3000 });
  });

  test('what is no message is nothing', () => {
    const empty = new Uint8Array(0);
    assert.equal(decodeCommand(empty), undefined);
    assert.equal(decodeReport(empty), undefined);
    assert.equal(decodeCommand(Uint8Array.of(0xff)), undefined);
    assert.equal(decodeReport(Uint8Array.of(0xff)), undefined);
    assert.deepEqual(decodeFrame(Uint8Array.of(0xff)), { kind: 'malformed' });
  });
});

suite('floats as bytes', () => {
  test('keep their bits at any offset', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.nat({ max: 3 }),
      (bytes, offset) => {
        const shifted = new Uint8Array(bytes.length + offset);
        shifted.set(bytes, offset);
        const floats = bytesToFloats(shifted.subarray(offset));
        if (bytes.length % 4 !== 0) assert.equal(floats, undefined);
        else assert.deepEqual(new Uint8Array(floats!.buffer), new Uint8Array(bytes));
      },
    );
    fc.assert(property);
    const copy = floatsToBytes([1, -0]);
    assert.deepEqual([...copy], [0, 0, 128, 63, 0, 0, 0, 128]);
  });
});

suite('the subjects of a group', () => {
  test('name the receiver and the sender', () => {
    const subjects = new GroupSubjects('east', '7');
    assert.equal(subjects.command, 'sohu.east.7.command');
    assert.equal(subjects.report(3), 'sohu.east.7.report.3');
    assert.equal(subjects.allReports, 'sohu.east.7.report.*');
    assert.equal(subjects.transfer(2, 5), 'sohu.east.7.xfer.2.5');
    assert.equal(subjects.transfer('all', 5), 'sohu.east.7.xfer.all.5');
    assert.equal(subjects.transfersTo(2), 'sohu.east.7.xfer.2.*');
    assert.equal(subjects.transfersTo('all'), 'sohu.east.7.xfer.all.*');
  });
});
