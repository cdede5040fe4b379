/** How the console is built, served while it is being written, and tested. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const hub = process.env.CAREHUB_URL ?? "http://127.0.0.1:8080";
const proxied = ["/v1", "/signin", "/signout", "/openapi.json", "/readyz"];
const LEAST_TO_COMPRESS = 1024;

/** Beside each file its compressed twins, so that a server can send them as they are. */
function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|html|svg)$/.test(entry.name)) continue;
        const path = join(entry.parentPath, entry.name);
        const content = readFileSync(path);
        if (content.length < LEAST_TO_COMPRESS) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // The console; and the page of patients, which loads little.
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "my.html"] },
  },
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, hub])) },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    env: { TZ: "UTC" },
  },
});
