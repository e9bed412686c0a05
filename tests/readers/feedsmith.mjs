// Prints what feedsmith's parseFeed makes of a file: node feedsmith.mjs FOLDER FILE, node_modules/feedsmith in FOLDER.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, file] = process.argv.slice(2);
// Imports resolve beside the importing file, where nothing is installed: ask as if from a file in FOLDER.
const { parseFeed } = createRequire(join(folder, "here.js"))("feedsmith");
process.stdout.write(JSON.stringify(parseFeed(readFileSync(file, "utf8"))));
