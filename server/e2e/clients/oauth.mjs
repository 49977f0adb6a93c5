// Lets one of the official clients find its way from a bare URL to a tool by OAuth, and says on stdout, as JSON, what it saw.
//
//   node oauth.mjs v1|v2  < {"url": ..., "issuer": ..., "document": ... or "", "person": ... or ""}
//
// The person is played by the test's fake Odoo, whose consent page takes the answer by POST, as the real one does; or, with
// a real Odoo, by the test itself behind the address "person": it takes an authorization URL and gives the redirect's query.
// Then a further scope is asked for, too, and the connection is revoked in Odoo: the client has to log in again by itself.
import { readFileSync } from "node:fs";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";

const job = JSON.parse(readFileSync(0, "utf8"));
const redirectUrl = "http://localhost:4711/callback";
const seen = { scopes: [], resources: [], registered: null };

// follow is a browser with a person in front of it: from the authorization URL to the redirect with the code.
async function follow(url) {
  if (job.person) {
    const answer = await fetch(job.person, { method: "POST", body: String(url) });
    if (!answer.ok) throw new Error(`the person: ${answer.status} ${await answer.text()}`);
    return new URL(`${redirectUrl}?${await answer.text()}`);
  }
  const authorize = await fetch(url, { redirect: "manual" });
  const consent = authorize.headers.get("location") ?? "";
  if (authorize.status !== 303 || !consent.includes("/doorman/consent?")) {
    throw new Error(`authorize: ${authorize.status} ${consent}`);
  }
  const decided = await fetch(consent, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ answer: "allow", iss: job.issuer }),
  });
  return new URL(decided.headers.get("location"));
}

class Provider {
  redirectUrl = redirectUrl;
  clientMetadataUrl = job.document || undefined;
  clientMetadata = {
    client_name: "TypeScript",
    redirect_uris: [redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  state = () => "state-of-typescript";
  clientInformation = () => this.client;
  saveClientInformation = (client) => {
    this.client = client;
    seen.registered = client.client_id;
  };
  tokens = () => this.saved;
  saveTokens = (tokens) => {
    this.saved = tokens;
  };
  // The SDK asks for it once a refresh token is refused: its login is over.
  invalidateCredentials = (which) => {
    if (which === "tokens" || which === "all") this.saved = undefined;
  };
  codeVerifier = () => this.verifier;
  saveCodeVerifier = (verifier) => {
    this.verifier = verifier;
  };
  redirectToAuthorization = async (url) => {
    seen.scopes.push(url.searchParams.get("scope"));
    seen.resources.push(url.searchParams.get("resource"));
    this.callback = await follow(url);
  };
}

const provider = new Provider();
const [Client, Http] = process.argv[2] === "v1" ? [ClientV1, HttpV1] : [ClientV2, HttpV2];
const open = () => [
  new Client({ name: "doorman-oauth", version: "1" }),
  new Http(new URL(job.url), { authProvider: provider }),
];

let [client, transport] = open();

// comeBack brings the code that the person came back with, and connects anew.
async function comeBack(e) {
  if (!provider.callback) throw e;
  const back = provider.callback.searchParams;
  provider.callback = undefined;
  seen.iss = back.get("iss");
  seen.state = back.get("state");
  await transport.finishAuth(process.argv[2] === "v1" ? back.get("code") : back);
  [client, transport] = open();
  await client.connect(transport);
}

try {
  await client.connect(transport);
} catch (e) {
  await comeBack(e);
}
const first = { name: "search_records", arguments: { model: "res.partner" } };
seen.tools = (await client.listTools()).tools.length;
seen.called = !(await client.callTool(first)).isError;

// The access token is over: the client refreshes by itself.
const old = provider.saved;
provider.saved = { ...old, access_token: "dma_over" };
const second = await client.callTool({ name: "get_context", arguments: {} });
seen.refreshed = !second.isError && provider.saved.access_token !== "dma_over" && provider.saved.refresh_token !== old.refresh_token;

if (job.person) {
  const write = {
    name: "create_records",
    arguments: { model: "res.partner", records: '[{"name":"Step"}]', dry_run: true },
  };
  // The 1.x client refreshes before it asks its person, which gives no wider token; without one to refresh, it asks.
  if (process.argv[2] === "v1") provider.saved = { ...provider.saved, refresh_token: undefined };
  let third;
  try {
    third = await client.callTool(write);
  } catch (e) {
    await comeBack(e);
    third = await client.callTool(write);
  }
  seen.steppedUp = !third.isError;
  await fetch(`${job.person}/revoke`, { method: "POST" });
  let fourth;
  try {
    fourth = await client.callTool(first);
  } catch (e) {
    await comeBack(e);
    fourth = await client.callTool(first);
  }
  seen.loggedInAgain = !fourth.isError;
}
await client.close();
process.stdout.write(JSON.stringify(seen));
