// Lets a client that is not one of the official SDKs find its way from a bare URL to a tool by OAuth, and says on stdout, as
// JSON, what it saw.
//
//   node logins.mjs openid-client|mcp-remote  < {"url": ..., "person": ...}
//
// The person is the test itself behind the address "person": it takes an authorization URL and gives the redirect's query.
// POST to /revoke there ends the connection in Odoo: the client has to log in again by itself.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as oauth from "openid-client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const job = JSON.parse(readFileSync(0, "utf8"));
const seen = { scopes: [], resources: [], logins: 0 };
const search = ["search_records", { model: "res.partner" }];
const context = ["get_context", {}];
// Of a scope that nobody has asked for yet.
const write = ["create_records", { model: "res.partner", records: '[{"name":"Step"}]', dry_run: true }];

// consent is a browser with a person in front of it: from the authorization URL to the redirect.
async function consent(url) {
  seen.scopes.push(url.searchParams.get("scope"));
  seen.resources.push(url.searchParams.get("resource"));
  seen.logins++;
  const answer = await fetch(job.person, { method: "POST", body: String(url) });
  if (!answer.ok) throw new Error(`the person: ${answer.status} ${await answer.text()}`);
  return new URL(`${url.searchParams.get("redirect_uri")}?${await answer.text()}`);
}

const revoke = () => fetch(`${job.person}/revoke`, { method: "POST" });

// ---- a library that knows OAuth, and nothing of MCP ----

const headers = {
  "Content-Type": "application/json",
  Accept: "application/json, text/event-stream",
  "MCP-Protocol-Version": "2025-11-25",
};
const rpc = (method, params = {}) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
const parameter = (challenge, name) => challenge.match(new RegExp(`${name}="([^"]*)"`))?.[1];

async function openidClient() {
  const refused = await fetch(job.url, { method: "POST", headers, body: rpc("tools/list") });
  const challenge = refused.headers.get("www-authenticate");
  const resource = await (await fetch(parameter(challenge, "resource_metadata"))).json();
  const redirect_uri = "http://localhost:4711/callback";
  const config = await oauth.dynamicClientRegistration(
    new URL(resource.authorization_servers[0]),
    { client_name: "openid-client", redirect_uris: [redirect_uri], token_endpoint_auth_method: "none" },
    oauth.None(),
    // Doorman is behind HTTPS, but for tests.
    { algorithm: "oauth2", execute: [oauth.allowInsecureRequests] },
  );

  let tokens;
  const logIn = async (scope) => {
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const url = oauth.buildAuthorizationUrl(config, {
      redirect_uri,
      scope,
      state,
      resource: resource.resource,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    });
    const back = await consent(url);
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    tokens = await oauth.authorizationCodeGrant(config, back, checks, { resource: resource.resource });
  };
  const send = async (body, again = true) => {
    const answer = await fetch(job.url, {
      method: "POST",
      headers: { ...headers, Authorization: `Bearer ${tokens.access_token}` },
      body,
    });
    if (again && [401, 403].includes(answer.status)) {
      const asked = answer.headers.get("www-authenticate");
      await logIn(parameter(asked, "scope") ?? parameter(challenge, "scope"));
      return send(body, false);
    }
    return (await answer.json()).result;
  };
  const call = async ([name, args]) => {
    const result = await send(rpc("tools/call", { name, arguments: args }));
    return Boolean(result) && !result.isError;
  };

  await logIn(parameter(challenge, "scope"));
  seen.tools = (await send(rpc("tools/list"))).tools.length;
  seen.called = await call(search);
  const old = tokens;
  tokens = await oauth.refreshTokenGrant(config, tokens.refresh_token, { resource: resource.resource });
  seen.refreshed = tokens.access_token !== old.access_token && (await call(context)) && seen.logins === 1;
  seen.steppedUp = (await call(write)) && seen.logins === 2;
  await revoke();
  seen.loggedInAgain = (await call(search)) && seen.logins === 3;
}

// ---- the bridge of clients that only know stdio ----

const bridge = fileURLToPath(new URL("node_modules/mcp-remote/dist/proxy.js", import.meta.url));

// bridged starts the bridge, whose browser is the person, and gives what calls a tool over it.
async function bridged(work) {
  const client = new Client({ name: "doorman-bridge", version: "1" });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bridge, job.url, "4711", "--allow-http"],
    // No program of this path opens a browser: the bridge says where to go instead.
    env: { HOME: process.env.HOME, PATH: process.env.PATH },
    stderr: "pipe",
  });
  // It may say where to go before it listens for who comes back.
  let said = "";
  transport.stderr.on("data", (data) => {
    said += data;
    process.stderr.write(data);
    const url = said.match(/(http\S+\/oauth\/authorize\?\S+)\s/)?.[1];
    if (url && said.includes("callback server running")) {
      said = said.replace(url, "");
      consent(new URL(url)).then((back) => fetch(back)).catch((e) => process.stderr.write(String(e)));
    }
  });
  await client.connect(transport);
  try {
    return await work(
      async ([name, args]) => !(await client.callTool({ name, arguments: args })).isError,
      client,
    );
  } finally {
    await client.close();
  }
}

// expire makes the bridge think that its access token is good, which it is not.
function expire() {
  const kept = readdirSync(process.env.HOME, { recursive: true }).filter((name) => name.endsWith("_tokens.json"));
  const path = join(process.env.HOME, kept[0]);
  const tokens = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...tokens, access_token: "dma_over" }));
  return () => JSON.parse(readFileSync(path, "utf8")).refresh_token !== tokens.refresh_token;
}

// The bridge logs in when it starts, or whenever it is told to; after a revocation it is started again, as its clients do.
async function mcpRemote() {
  await bridged(async (call, client) => {
    seen.tools = (await client.listTools()).tools.length;
    seen.called = await call(search);
  });
  const isOther = expire();
  await bridged(async (call) => {
    seen.refreshed = (await call(context)) && isOther() && seen.logins === 1;
    seen.steppedUp = (await call(write)) && seen.logins === 2;
  });
  await revoke();
  await bridged(async (call) => {
    seen.loggedInAgain = (await call(search)) && seen.logins === 3;
  });
}

await { "openid-client": openidClient, "mcp-remote": mcpRemote }[process.argv[2]]();
process.stdout.write(JSON.stringify(seen));
