// Runs one MCP client against a Doorman and says on stdout, as JSON, what it saw.
//
//   node clients.mjs v1|v2-legacy|v2-auto|v2-modern|mcp-remote  < job.json
//
// The job comes by stdin: it holds keys, and arguments can be read in the list of processes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";

const info = { name: "doorman-conformance", version: "1" };
const bridge = fileURLToPath(
  new URL("node_modules/mcp-remote/dist/proxy.js", import.meta.url),
);

const http = (Transport, url, key) =>
  new Transport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${key}` } },
  });

const v2 = (mode) => (url, key) => [
  new ClientV2(info, { versionNegotiation: { mode } }),
  http(HttpV2, url, key),
];

const flavours = {
  v1: (url, key) => [new ClientV1(info), http(HttpV1, url, key)],
  "v2-legacy": v2("legacy"),
  "v2-auto": v2("auto"),
  "v2-modern": v2({ pin: "2026-07-28" }),
  "mcp-remote": (url, key) => [
    new ClientV1(info),
    new StdioClientTransport({
      command: process.execPath,
      args: [bridge, url, "--silent", "--header", "Authorization:${AUTH}"],
      env: { AUTH: `Bearer ${key}`, HOME: process.env.HOME, PATH: process.env.PATH },
      stderr: "inherit",
    }),
  ],
};

// One session: connect, list, call. The clients check each result against the tool's output schema, which they know
// only after listTools; a result that does not fit is thrown.
async function session(open, url, { key, calls }) {
  const [client, transport] = open(url, key);
  try {
    await client.connect(transport);
    const { tools } = await client.listTools();
    const results = [];
    for (const call of calls) {
      results.push(await client.callTool(call).catch((e) => ({ thrown: String(e) })));
    }
    return {
      protocol: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? "",
      server: client.getServerVersion()?.name,
      tools: tools.map((t) => t.name),
      results,
    };
  } catch (e) {
    // v1 keeps the HTTP status in code, v2 in status.
    const status = typeof e.code === "number" ? e.code : e.status;
    return { failed: { name: e.constructor.name, status: status ?? 0, message: e.message, data: e.data?.text } };
  } finally {
    await client.close();
  }
}

const open = flavours[process.argv[2]];
const job = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const one of job.sessions) {
  answers.push(await session(open, job.url, one));
}
process.stdout.write(JSON.stringify(answers));
