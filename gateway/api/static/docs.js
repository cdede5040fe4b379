// Draws /openapi.json. Everything becomes text nodes, never markup.
"use strict";

const METHODS = ["get", "post", "patch", "put", "delete"];
const ERRORS = /^Problem/;

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// `code` and **strong**, and lists of lines that begin with a dash.
function prose(text) {
  const blocks = document.createDocumentFragment();
  for (const block of (text ?? "").split(/\n\n+/)) {
    if (!block.trim()) continue;
    if (block.startsWith("- ")) {
      blocks.append(element("ul", {}, ...block.split(/\n(?=- )/).map((line) => element("li", {}, ...inline(line.slice(2))))));
    } else {
      blocks.append(element("p", {}, ...inline(block)));
    }
  }
  return blocks;
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`") && part.length > 1) return element("code", {}, part.slice(1, -1));
    if (part.startsWith("**") && part.length > 4) return element("strong", {}, part.slice(2, -2));
    return part;
  });
}

const nameOf = (schema) => schema?.$ref?.split("/").pop();

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return nameOf(schema);
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map to ${typeOf(schema.additionalProperties)}`;
  if (schema.enum) return "one of";
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type ?? "any";
  return schema.format ? `${type}, ${schema.format}` : schema.contentEncoding ? `${type}, ${schema.contentEncoding}` : type;
}

function inner(schema) {
  return nameOf(schema) ?? nameOf(schema?.items) ?? nameOf(schema?.additionalProperties ?? {});
}

function row(name, schema, description, marks, spec, seen) {
  const detail = element("dd", {}, ...inline(description ?? ""));
  const nested = inner(schema);
  if (nested && !seen.includes(nested)) {
    const more = element("details", {}, element("summary", {}, `Fields of ${nested}`));
    more.addEventListener("toggle", () => {
      if (more.open && more.childElementCount === 1) more.append(fields(spec.components.schemas[nested], spec, [...seen, nested]));
    });
    detail.append(more);
  }
  const term = element("dt", {}, element("code", {}, name), element("small", {}, [typeOf(schema), ...marks].filter(Boolean).join(" · ")));
  return element("div", {}, term, detail);
}

function fields(schema, spec, seen) {
  const rows = Object.entries(schema?.properties ?? {}).map(([name, field]) => {
    const marks = [schema.required?.includes(name) ? "required" : "", field.readOnly ? "set by the server" : ""];
    return row(name, field, field.description, marks, spec, seen);
  });
  return element("dl", {}, ...rows);
}

function part(title, content) {
  const fragment = document.createDocumentFragment();
  fragment.append(element("h4", {}, title), content);
  return fragment;
}

function curl(method, path, operation) {
  const lines = [`curl -H "Authorization: Bearer $TOKEN"`];
  if (method !== "get") lines[0] += ` -X ${method.toUpperCase()}`;
  if (operation.requestBody) lines.push(`  -H "Content-Type: application/json" -d '{…}'`);
  lines.push(`  ${location.origin}${path}`);
  return lines.join(" \\\n");
}

function article(path, method, operation, spec) {
  const id = operation.operationId;
  const made = element("article", { id },
    element("h3", {}, element("span", { class: "verb" }, method.toUpperCase()), element("a", { href: `#${id}` }, element("code", {}, path)), element("span", { class: "tag" }, id)));
  made.append(prose(operation.description));
  const who = operation["x-permission"] ? `Needs ${operation["x-permission"]}` : operation.security?.length === 0 ? "For everybody" : "For everybody who is signed in";
  made.append(element("p", {}, element("span", { class: "tag" }, who)));
  if (operation.parameters.length) {
    made.append(part("Parameters", element("dl", {}, ...operation.parameters.map((one) =>
      row(one.name, one.schema, one.description, [one.in, one.required ? "required" : ""], spec, [])))));
  }
  const body = operation.requestBody?.content["application/json"].schema;
  if (body) made.append(part(`Body${nameOf(body) ? `: ${nameOf(body)}` : ""}`, fields(resolve(body, spec), spec, [nameOf(body)])));
  const answer = operation.responses["200"].content["application/json"].schema;
  made.append(part(`Answer: ${nameOf(answer)}`, fields(resolve(answer, spec), spec, [nameOf(answer)])));
  const errors = Object.entries(operation.responses).filter(([, one]) => ERRORS.test(nameOf(one) ?? ""));
  made.append(element("details", {}, element("summary", {}, "Errors and an example"),
    element("p", {}, errors.map(([status, one]) => `${status} ${spec.components.responses[nameOf(one)].description}`).join(" ")),
    element("pre", {}, curl(method, path, operation))));
  return made;
}

const resolve = (schema, spec) => (schema.$ref ? spec.components.schemas[nameOf(schema)] : schema);

// What a search looks through: the path, the words, and the names of the fields, three levels deep.
function words(path, operation, spec) {
  const texts = [path, operation.operationId, operation.description, operation["x-permission"] ?? ""];
  const visit = (schema, depth) => {
    const found = schema && resolve(schema, spec);
    for (const [name, field] of Object.entries(found?.properties ?? {})) {
      texts.push(name);
      const nested = inner(field);
      if (nested && depth < 3) visit({ $ref: `#/components/schemas/${nested}` }, depth + 1);
    }
  };
  for (const one of operation.parameters) texts.push(one.name);
  visit(operation.requestBody?.content["application/json"].schema, 0);
  visit(operation.responses["200"].content["application/json"].schema, 0);
  return texts.join(" ").toLowerCase();
}

function draw(spec) {
  document.getElementById("about").append(prose(spec.info.description));
  const index = document.getElementById("index");
  const operations = document.getElementById("operations");
  const entries = [];
  for (const tag of spec.tags) {
    const links = element("section", {}, element("h2", {}, tag.name));
    const group = element("section", {}, element("h2", {}, tag.name), prose(tag.description));
    for (const [path, methods] of Object.entries(spec.paths)) {
      for (const method of METHODS.filter((name) => methods[name]?.tags.includes(tag.name))) {
        const operation = methods[method];
        const link = element("a", { href: `#${operation.operationId}` }, element("span", { class: "verb" }, method.toUpperCase()), element("code", {}, path));
        const drawn = article(path, method, operation, spec);
        links.append(link);
        group.append(drawn);
        entries.push({ link, drawn, links, group, words: words(path, operation, spec) });
      }
    }
    index.append(links);
    operations.append(group);
  }
  const search = document.getElementById("search");
  search.addEventListener("input", () => narrow(entries, search.value));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
  });
  if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

function narrow(entries, text) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  const groups = new Map();
  for (const entry of entries) {
    const fits = wanted.every((word) => entry.words.includes(word));
    entry.link.hidden = entry.drawn.hidden = !fits;
    shown += fits;
    for (const section of [entry.links, entry.group]) groups.set(section, (groups.get(section) ?? false) || fits);
  }
  for (const [section, fits] of groups) section.hidden = !fits;
  document.getElementById("about").hidden = wanted.length > 0;
  document.getElementById("count").textContent = wanted.length ? `${shown} of ${entries.length}` : "";
}

fetch("/openapi.json")
  .then((response) => (response.ok ? response.json() : Promise.reject(new Error(String(response.status)))))
  .then(draw)
  .catch(() => document.getElementById("operations").append(element("p", {}, "The document could not be loaded. Reload this page.")));
