"""Lets a Python client find its way from a bare URL to a tool by OAuth, and says on stdout, as JSON, what it saw.

    python oauth.py mcp-auto|mcp-legacy|fastmcp|authlib  < {"url": ..., "person": ...}

The person is the test itself behind the address "person": it takes an authorization URL and gives the redirect's query.
POST to /revoke there ends the connection in Odoo: the client has to log in again by itself.
"""

import asyncio
import json
import sys
import urllib.request
from urllib.parse import parse_qs, urlencode

REDIRECT = "http://localhost:4711/callback"
SEARCH = ("search_records", {"model": "res.partner"})
CONTEXT = ("get_context", {})
# Of a scope that nobody has asked for yet.
WRITE = ("create_records", {"model": "res.partner", "records": '[{"name":"Step"}]', "dry_run": True})

job = json.load(sys.stdin)
seen = {"scopes": [], "resources": [], "logins": 0}


def post(address, text=""):
    with urllib.request.urlopen(urllib.request.Request(address, text.encode(), method="POST")) as answer:
        return answer.read().decode()


def consent(url):
    """:return: the query that the person's browser comes back with"""
    asked = parse_qs(url.partition("?")[2])
    seen["scopes"].append(asked["scope"][0])
    seen["resources"].append(asked["resource"][0])
    seen["logins"] += 1
    return {name: values[0] for name, values in parse_qs(post(job["person"], url)).items()}


async def go_through(tools, call, expire):
    """What every client does.

    :param tools: lists their names
    :param call: calls one, and says whether it went well
    :param expire: makes the client think that its access token is over
    """
    seen["tools"] = len(await tools())
    seen["called"] = await call(*SEARCH)
    logins = seen["logins"]
    before = expire()
    seen["refreshed"] = await call(*CONTEXT) and expire(False) != before and seen["logins"] == logins
    seen["steppedUp"] = await call(*WRITE) and seen["logins"] == logins + 1
    post(job["person"] + "/revoke")
    seen["loggedInAgain"] = await call(*SEARCH) and seen["logins"] == logins + 2


# ---- the official SDK, and FastMCP on top of it ----


def token_of(provider):
    def expire(now=True):
        context = provider.context
        if now:
            context.token_expiry_time = 1
        return context.current_tokens.access_token

    return expire


def went_well(result):
    return not getattr(result, "is_error", getattr(result, "isError", None))


async def with_sdk(mode):
    import httpx2
    from mcp.client import Client
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

    class Memory:
        tokens = client = None

        async def get_tokens(self):
            return self.tokens

        async def set_tokens(self, tokens):
            self.tokens = tokens

        async def get_client_info(self):
            return self.client

        async def set_client_info(self, client):
            self.client = client

    came_back = {}

    async def to_the_browser(url):
        came_back.update(await asyncio.to_thread(consent, url))

    async def from_the_browser():
        return AuthorizationCodeResult(**{k: came_back.get(k) for k in ("code", "state", "iss")})

    provider = OAuthClientProvider(
        job["url"],
        OAuthClientMetadata(client_name="Python", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"),
        Memory(),
        to_the_browser,
        from_the_browser,
    )
    async with httpx2.AsyncClient(auth=provider, timeout=30) as http:
        async with Client(streamable_http_client(job["url"], http_client=http), mode=mode) as client:

            async def tools():
                return (await client.list_tools()).tools

            async def call(name, arguments):
                return went_well(await client.call_tool(name, arguments))

            await go_through(tools, call, token_of(provider))


async def with_fastmcp():
    from fastmcp import Client
    from fastmcp.client.auth import OAuth
    from mcp.shared.auth import AuthorizationCodeResult

    class Person(OAuth):
        async def redirect_handler(self, authorization_url):
            self.came_back = await asyncio.to_thread(consent, authorization_url)

        async def callback_handler(self):
            return AuthorizationCodeResult(**{k: self.came_back.get(k) for k in ("code", "state", "iss")})

    provider = Person(job["url"], callback_port=4711)
    async with Client(job["url"], auth=provider) as client:

        async def call(name, arguments):
            return went_well(await client.call_tool(name, arguments, raise_on_error=False))

        await go_through(client.list_tools, call, token_of(provider))


# ---- a library that knows OAuth, and nothing of MCP ----


async def with_authlib():
    from authlib.common.security import generate_token
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
    import requests

    refused = requests.post(job["url"], json=rpc("tools/list"), headers=HEADERS)
    challenge = parameters(refused.headers["WWW-Authenticate"])
    resource = requests.get(challenge["resource_metadata"]).json()
    issuer = resource["authorization_servers"][0]
    server = AuthorizationServerMetadata(requests.get(get_well_known_url(issuer, external=True)).json())
    # Authlib takes no server over plain HTTP, except for tests.
    registered = requests.post(
        server["registration_endpoint"],
        json={"client_name": "Authlib", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"},
    ).json()
    session = OAuth2Session(
        registered["client_id"],
        redirect_uri=REDIRECT,
        token_endpoint=server["token_endpoint"],
        token_endpoint_auth_method="none",
        code_challenge_method="S256",
    )

    def log_in(scope):
        session.scope, verifier = scope, generate_token(48)
        url, _state = session.create_authorization_url(
            server["authorization_endpoint"], code_verifier=verifier, resource=resource["resource"]
        )
        back = consent(url)
        session.fetch_token(
            server["token_endpoint"],
            authorization_response=f"{REDIRECT}?{urlencode(back)}",
            code_verifier=verifier,
            resource=resource["resource"],
        )

    def send(message):
        answer = session.post(job["url"], json=message, headers=HEADERS)
        if answer.status_code in (401, 403):
            log_in(parameters(answer.headers["WWW-Authenticate"]).get("scope") or challenge["scope"])
            answer = session.post(job["url"], json=message, headers=HEADERS)
        return answer.json()["result"]

    async def tools():
        return send(rpc("tools/list"))["tools"]

    async def call(name, arguments):
        return not send(rpc("tools/call", name=name, arguments=arguments)).get("isError")

    def expire(now=True):
        if now:
            session.token["expires_at"] = 1
        return session.token["access_token"]

    log_in(challenge["scope"])
    await go_through(tools, call, expire)


HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}


def rpc(method, **params):
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def parameters(challenge):
    """The parameters of a WWW-Authenticate header."""
    return urllib.request.parse_keqv_list(urllib.request.parse_http_list(challenge.partition(" ")[2]))


flavour = {
    "mcp-auto": lambda: with_sdk("auto"),
    "mcp-legacy": lambda: with_sdk("legacy"),
    "fastmcp": with_fastmcp,
    "authlib": with_authlib,
}[sys.argv[1]]
asyncio.run(flavour())
json.dump(seen, sys.stdout)
