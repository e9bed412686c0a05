// Prints the result of feedsmith's parseFeed for a file: node feedsmith.mjs FOLDER FILE; feedsmith is in FOLDER/node_modules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, file] = process.argv.slice(2);
// Imports are resolved from the importing file, where nothing is installed: resolve as for a file in FOLDER.
const { parseFeed } = createRequire(join(folder, "here.js"))("feedsmith");
process.stdout.write(JSON.stringify(parseFeed(readFileSync(file, "utf8"))));
