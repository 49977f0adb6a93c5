// An identity provider, played by oidc-provider, and the official TypeScript client for enterprise-managed authorization, which
// logs a person in there and calls a tool with what the provider has signed. It says on stdout, as JSON, what it saw.
//
//   node enterprise.mjs  < {"url": ..., "issuer": ..., "here": ..., "client": ..., "secret": ...}
//
// The provider speaks http on a port that it tells the address "here"; before it the test has TLS, under the issuer's name.
import {createHash, randomBytes} from "node:crypto";
import {readFileSync} from "node:fs";
import {createServer} from "node:http";
import {
    Client,
    CrossAppAccessProvider,
    StreamableHTTPClientTransport,
    discoverAndRequestJwtAuthGrant,
} from "@modelcontextprotocol/client";
import {SignJWT, exportJWK, generateKeyPair, jwtVerify} from "jose";
import {Provider} from "oidc-provider";

// oidc-provider says on stdout what it would have otherwise in production.
console.info = console.log = console.error;
const job = JSON.parse(readFileSync(0, "utf8"));
const seen = {assertions: [], called: false, afterRevoke: "", refresh: false};
const callback = "https://tool.example.com/callback";
const exchange = "urn:ietf:params:oauth:grant-type:token-exchange";

const {privateKey, publicKey} = await generateKeyPair("RS256", {extractable: true});
const idp = new Provider(job.issuer, {
    clients: [
        {
            client_id: job.client,
            client_secret: "secret-at-the-provider",
            redirect_uris: [callback],
            grant_types: ["authorization_code", exchange],
        },
    ],
    jwks: {
        keys: [{...(await exportJWK(privateKey)), kid: "k1", use: "sig", alg: "RS256"}],
    },
    cookies: {keys: ["for the test"]},
    findAccount: (_ctx, id) => ({accountId: id, claims: () => ({sub: id})}),
});
idp.proxy = true;
idp.registerGrantType(
    exchange,
    async (ctx) => {
        const asked = ctx.oidc.params;
        const {payload} = await jwtVerify(asked.subject_token, publicKey, {
            issuer: job.issuer,
        });
        const assertion = await new SignJWT({
            client_id: ctx.oidc.client.clientId,
            resource: asked.resource,
            scope: asked.scope,
            email: `${payload.sub}@company.example`,
            email_verified: true,
        })
            .setProtectedHeader({alg: "RS256", kid: "k1", typ: "oauth-id-jag+jwt"})
            .setIssuer(job.issuer)
            .setSubject(payload.sub)
            .setAudience(asked.audience)
            .setJti(randomBytes(16).toString("hex"))
            .setIssuedAt()
            .setExpirationTime("5m")
            .sign(privateKey);
        seen.assertions.push(assertion);
        ctx.body = {
            issued_token_type: "urn:ietf:params:oauth:token-type:id-jag",
            access_token: assertion,
            token_type: "N_A",
            expires_in: 300,
        };
    },
    [
        "audience",
        "resource",
        "scope",
        "requested_token_type",
        "subject_token",
        "subject_token_type",
    ]
);
const server = createServer(idp.callback());
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const local = `http://127.0.0.1:${server.address().port}`;
await fetch(job.here, {method: "POST", body: local});

// toIdP sends what is for the provider past the TLS before it, with what a proxy adds.
function toIdP(input, init = {}) {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin !== job.issuer) return fetch(input, init);
    const headers = new Headers(init.headers);
    headers.set("X-Forwarded-Proto", "https");
    headers.set("X-Forwarded-Host", new URL(job.issuer).host);
    return fetch(local + url.pathname + url.search, {...init, headers});
}

// logIn is a browser with a person in front of it: from the provider's login page to an ID token.
async function logIn(person) {
    const verifier = randomBytes(32).toString("base64url");
    const query = new URLSearchParams({
        client_id: job.client,
        response_type: "code",
        scope: "openid",
        redirect_uri: callback,
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
    });
    const cookies = new Map();
    let at = new URL(`${job.issuer}/auth?${query}`);
    let body;
    for (let step = 0; step < 20 && at.origin === job.issuer; step++) {
        const cookie = [...cookies]
            .map(([name, value]) => `${name}=${value}`)
            .join("; ");
        const answer = await toIdP(at, {
            method: body ? "POST" : "GET",
            body,
            redirect: "manual",
            headers: {cookie},
        });
        for (const line of answer.headers.getSetCookie()) {
            const [name, value] = line.split(";")[0].split(/=(.*)/s);
            cookies.set(name, value);
        }
        const next = answer.headers.get("location");
        const page = await answer.text();
        body = undefined;
        if (next) {
            at = new URL(next, at);
            continue;
        }
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
        if (!prompt) throw new Error(`the provider: ${answer.status} ${page}`);
        body = new URLSearchParams({prompt, login: person, password: "any"});
    }
    const tokens = await toIdP(`${job.issuer}/token`, {
        method: "POST",
        body: new URLSearchParams({
            grant_type: "authorization_code",
            code: at.searchParams.get("code"),
            redirect_uri: callback,
            code_verifier: verifier,
        }),
        headers: {
            authorization: `Basic ${btoa(`${job.client}:secret-at-the-provider`)}`,
        },
    });
    return (await tokens.json()).id_token;
}

const idToken = await logIn("mia");
const provider = new CrossAppAccessProvider({
    assertion: async (asked) => {
        const grant = await discoverAndRequestJwtAuthGrant({
            idpUrl: job.issuer,
            audience: asked.authorizationServerUrl,
            resource: asked.resourceUrl,
            idToken,
            clientId: job.client,
            clientSecret: "secret-at-the-provider",
            scope: "mcp:metadata mcp:search",
            fetchFn: toIdP,
        });
        return grant.jwtAuthGrant;
    },
    clientId: job.client,
    clientSecret: job.secret,
});
const client = new Client({name: "typescript", version: "1"});
await client.connect(
    new StreamableHTTPClientTransport(new URL(job.url), {authProvider: provider})
);
const call = () => client.callTool({name: "get_context", arguments: {}});
const first = await call();
seen.called = !first.isError && JSON.stringify(first).includes("mia");
seen.refresh = Boolean((await provider.tokens())?.refresh_token);
await fetch(`${job.here}revoke`, {method: "POST"});
try {
    seen.afterRevoke = (await call()).isError ? "refused" : "called";
} catch {
    seen.afterRevoke = "refused";
}
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0));
