"""A provider that says whatever a test wants, signed or not: the other end of the wire, on a real socket."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "happening"
KID = "the-key"


class Forger:
    """`id_token` and `userinfo` are what it hands out next; `codes` what it was asked with."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.issuer = f"{self.base}/realms/happening"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.begin_anew()

    def begin_anew(self) -> None:
        self.id_token = ""
        self.userinfo: dict = {}
        self.says_instead: dict[str, object] = {}
        self.statuses: dict[str, int] = {}
        self.asked: list[dict] = []
        self.times_asked_for_keys = 0

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def claims(self, **changes) -> dict:
        """Those of an ordinary ID token; a change to None takes one away."""
        now = int(time.time())
        ordinary = {
            "iss": self.issuer,
            "aud": CLIENT,
            "azp": CLIENT,
            "sub": "ada-at-the-provider",
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "sid": "session-1",
            "typ": "ID",
        }
        return {name: value for name, value in {**ordinary, **changes}.items() if value is not None}

    def sign(self, claims: dict, *, key=None, kid: str | None = KID, algorithm: str = "RS256") -> str:
        headers = {"kid": kid} if kid else {}
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers=headers)

    def unsigned(self, claims: dict) -> str:
        parts = [{"alg": "none", "typ": "JWT", "kid": KID}, claims]
        return ".".join([*(_b64(json.dumps(part).encode()) for part in parts), ""])

    def signed_with_the_public_key(self, claims: dict) -> str:
        """As if the public key were a shared secret (HS256), made by hand, since libraries refuse to."""
        import hashlib
        import hmac

        pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        head = _b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": KID}).encode())
        body = _b64(json.dumps(claims).encode())
        return f"{head}.{body}.{_b64(hmac.new(pem, f'{head}.{body}'.encode(), hashlib.sha256).digest())}"

    def _jwks(self) -> dict:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        signing = {**key, "kid": KID, "use": "sig", "alg": "RS256"}
        return {"keys": [{**key, "kid": "for-secrets", "use": "enc", "alg": "RSA-OAEP"}, signing]}

    def _handler(forger):  # noqa: N805 - the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path.endswith("/certs"):
                    forger.times_asked_for_keys += 1
                    self._answer("certs", forger._jwks())
                else:
                    self._answer("userinfo", forger.userinfo)

            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                forger.asked.append({name: values[0] for name, values in form.items()})
                self._answer("token", {"id_token": forger.id_token, "access_token": "opaque"})

            def _answer(self, name, facts):
                body = json.dumps(forger.says_instead.get(name, facts)).encode()
                self.send_response(forger.statuses.get(name, 200))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
