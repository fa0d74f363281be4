// Gzip and brotli beside every built text file, made once here: the server's static files do not compress.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const folder = new URL("../src/osler/webdist/", import.meta.url).pathname;
const TEXT = /\.(js|css|html|svg|json|webmanifest)$/;
const SMALLEST_BYTES = 1024;

for (const name of await readdir(decodeURIComponent(folder), { recursive: true })) {
  if (!TEXT.test(name) || name.startsWith(".vite")) continue;
  const path = join(decodeURIComponent(folder), name);
  const bytes = await readFile(path);
  if (bytes.length < SMALLEST_BYTES) continue;
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
  await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, brotli));
}
