// Builds what browsers load into ../static: each file of src/ is one of theirs, with the hash of its content in its
// name; icons.svg has those icons that the pages name. manifest.json says which is which.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const pages = join(here, "..");
const built_into = join(pages, "static");
const out = `${built_into}.new`; // whoever is served meanwhile finds the files of before
const icons = join(here, "node_modules/@tabler/icons/icons/outline");
const named = /(?:icon|empty|icon_name\s*=|listing\(\w+,\s*)\(?\s*["']([a-z0-9-]+)["']|Door\([^)]*?,\s*"[^"]*",\s*"([a-z0-9-]+)"|icon_name="([a-z0-9-]+)"/g;

const manifest = {};

function keep(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const file = `${basename(name, extname(name))}-${hash}${extname(name)}`;
  writeFileSync(join(out, file), content);
  writeFileSync(join(out, `${file}.gz`), gzipSync(content, { level: 9 }));
  manifest[name] = file;
}

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (["browser", "static", "__pycache__"].includes(entry.name)) continue;
    if (entry.isDirectory()) yield* files(join(folder, entry.name));
    else yield join(folder, entry.name);
  }
}

function sprite() {
  const wanted = new Set();
  for (const file of files(pages)) {
    if (![".html", ".py"].includes(extname(file))) continue;
    for (const found of readFileSync(file, "utf8").matchAll(named)) wanted.add(found[1] ?? found[2] ?? found[3]);
  }
  const symbols = [];
  for (const name of [...wanted].sort()) {
    let drawing;
    try {
      drawing = readFileSync(join(icons, `${name}.svg`), "utf8");
    } catch {
      throw new Error(`there is no icon named ${name}: look at @tabler/icons`);
    }
    const inner = drawing.slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.lastIndexOf("</svg>"));
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${inner.trim()}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
const sources = readdirSync(join(here, "src"), { withFileTypes: true }).filter((entry) => entry.isFile());
const bundled = sources.filter((entry) => [".js", ".css"].includes(extname(entry.name)));
const ways = { bundle: true, minify: true, write: false, outdir: out, target: "es2022", loader: { ".png": "dataurl", ".svg": "dataurl", ".woff2": "dataurl" }, legalComments: "none" };
const built = await build({ ...ways, entryPoints: bundled.map((entry) => join(here, "src", entry.name)), format: "iife" });
// what is fetched when it is used, by import(): pages and the driver's app name its address
const later = readdirSync(join(here, "src/later")).map((name) => join(here, "src/later", name));
const modules = await build({ ...ways, entryPoints: later, format: "esm" });
for (const file of [...built.outputFiles, ...modules.outputFiles]) keep(basename(file.path), file.contents);
for (const entry of sources.filter((one) => !bundled.includes(one))) keep(entry.name, readFileSync(join(here, "src", entry.name)));
keep("icons.svg", sprite());
cpSync(join(here, "node_modules/axe-core/axe.min.js"), join(out, "axe.min.js"), { force: true, errorOnExist: false });
writeFileSync(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
rmSync(built_into, { recursive: true, force: true });
renameSync(out, built_into);
