import hashlib
import secrets
from base64 import urlsafe_b64encode
from urllib.parse import parse_qsl, urlsplit

from .common import DoormanMixin, proof_of

CALLBACK = "https://app.example.com/callback?tenant=1"
DOCUMENT = "https://claude.example/oauth/client.json"
RESOURCE = "https://mcp.example.com/mcp"
ISSUER = "https://mcp.example.com"
IP = "192.0.2.9"


def challenge_of(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


class OauthMixin(DoormanMixin):
    """Clients, requests, consents and tokens, as the service asks for them."""

    @classmethod
    def _set_up_doorman(cls):
        super()._set_up_doorman()
        cls.requests = cls.env["doorman.oauth.request"]
        cls.verifier = secrets.token_urlsafe(32)
        cls.settings.scope_ids = cls.env["doorman.scope"].search(
            [("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]
        )

    def register(self, **said):
        said = {
            "client_name": "Claude",
            "redirect_uris": [CALLBACK],
            "client_uri": "https://app.example.com",
            "ip": IP,
        } | said
        return self.gateway.oauth_register(said)

    def client(self, client_id=None):
        client_id = client_id or self.register()["client_id"]
        return self.env["doorman.oauth.client"]._named(client_id)

    def custom(self, role="user", **vals):
        vals = {
            "name": "Our bot",
            "client_type": "confidential",
            "redirect_uris": CALLBACK,
            "user_id": self.people[role].id,
        } | vals
        return self.env["doorman.oauth.client"]._make_custom(vals)

    def said(self, client=None, **changes):
        """What a request says of its client."""
        if client is None:
            return {
                "client_id": DOCUMENT,
                "kind": "document",
                "name": "Claude",
                "redirect_uris": [CALLBACK],
                "client_uri": "https://claude.example",
            } | changes
        return {
            "client_id": client.client_id,
            "kind": client.kind,
            "name": "x",
            "redirect_uris": ["https://x.example"],
            "client_uri": None,
        } | changes

    def asked(self, client=None, **changes):
        return {
            "client": self.said(client),
            "redirect_uri": CALLBACK,
            "scopes": ["mcp:metadata", "mcp:search"],
            "state": "a b+c/ü&=%20",
            "challenge": challenge_of(self.verifier),
            "resource": RESOURCE,
            "ip": IP,
        } | changes

    def begin(self, client=None, **changes):
        """:return: the handle of a new request"""
        self.env.flush_all()
        answer = self.gateway.oauth_begin(self.asked(client, **changes))
        self.assertIn("consent_url", answer, answer)
        return answer["consent_url"].split("request=")[1]

    def allow(self, handle, role="user"):
        """:return: the query of the address that the browser is sent to"""
        requests = self.requests.with_user(self.people[role])
        target = requests._allow(handle, IP)
        self.env.flush_all()
        return target and dict(parse_qsl(urlsplit(target).query))

    def code(self, client=None, role="user", **changes):
        return self.allow(self.begin(client, **changes), role)["code"]

    def grant(self, client=None, **changes):
        client_id = client.client_id if client else DOCUMENT
        return {"client_id": client_id, "secret": None, "ip": IP} | changes

    def redeem(self, token, client=None, **changes):
        """Of a code."""
        self.env.flush_all()
        asked = {
            "code": token and proof_of(token),
            "redirect_uri": CALLBACK,
            "challenge": challenge_of(self.verifier),
            "resource": RESOURCE,
        }
        return self.gateway.oauth_redeem(self.grant(client, **(asked | changes)))

    def refresh(self, token, client=None, **changes):
        self.env.flush_all()
        asked = {"refresh": proof_of(token), "scopes": None, "resource": None}
        return self.gateway.oauth_refresh(self.grant(client, **(asked | changes)))

    def tokens(self, client=None, role="user", **changes):
        answer = self.redeem(self.code(client, role, **changes), client)
        self.assertIn("access_token", answer, answer)
        return answer

    def error(self, answer):
        """The code of a refusal, or ``ok``."""
        if "oauth_error" not in answer:
            return "ok"
        self.assertEqual(set(answer), {"oauth_error"})
        self.assertEqual(
            set(answer["oauth_error"]), {"error", "error_description", "reason"}
        )
        self.assertTrue(answer["oauth_error"]["error_description"].isascii())
        return answer["oauth_error"]["error"]

    def resolves(self, token):
        """Whether a credential opens anything."""
        self.env.flush_all()
        self.env.invalidate_all()
        return "snapshot" in self.gateway.resolve(proof_of(token))

    def calls(self, token, fence=None):
        """How a call with a token ends, past every cache: by the same fence."""
        self.env.flush_all()
        self.env.invalidate_all()
        fence = (fence or self.token_fence(token)) | {"proof": proof_of(token)}
        request = self.request("res.partner", "search_count", domain=[])
        answer = self.gateway.call(fence, request)
        if "error" in answer:
            return answer["error"]["kind"]
        return "stale" if "stale" in answer else "ok"

    def token_fence(self, token):
        return self.fence(proof_of(token))

    def sql(self, query, *values):
        self.env.flush_all()
        self.env.cr.execute(query, values)
        self.env.invalidate_all()

    def later(self, seconds):
        """Let time pass for all tokens."""
        self.sql(
            "UPDATE doorman_oauth_token SET expires_at = expires_at - %s * interval "
            "'1 second', used_at = used_at - %s * interval '1 second'",
            seconds,
            seconds,
        )

    def connection_of(self, role="user", client_id=DOCUMENT):
        return self.env["doorman.connection"].search(
            [
                ("user_id", "=", self.people[role].id),
                ("client_id", "=", client_id),
            ]
        )
