/** The size of what is shipped. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { type Measurement, ours } from '../row.ts';

const root = new URL('../../../', import.meta.url);
const mib = 2 ** 20;

export const size: Measurement = {
  rows: [
    {
      name: 'size',
      title: 'what is shipped: dist/operator.js, and the layer of the image above its base',
      forwardings: 0,
      figures: [
        { name: 'bundle', unit: 'MiB', isCount: true, targets: [{ limit: 1.5 }] },
        { name: 'image layer', unit: 'MiB', isCount: true, targets: [{ limit: 2 }] },
        { name: 'image layer, compressed', unit: 'MiB', isCount: true },
      ],
    },
  ],
  async contenders() {
    return [
      {
        name: ours,
        async measure() {
          // The Dockerfile copies these files into the image.
          const [bundle, ...rest] = await Promise.all(
            ['dist/operator.js', 'dist/operator.js.LEGAL.txt', 'LICENSE'].map((file) => readFile(new URL(file, root))),
          );
          if (bundle === undefined) throw new TypeError('there is no bundle');
          const layer = Buffer.concat([bundle, ...rest]);
          return {
            size: {
              bundle: bundle.length / mib,
              'image layer': layer.length / mib,
              'image layer, compressed': gzipSync(layer).length / mib,
            },
          };
        },
      },
    ];
  },
};
