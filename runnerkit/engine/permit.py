"""What lets an engine into a run's own registry: a token that names one repository, and what may be done.

A JSON Web Token, signed by the key of the registry's certificate: the kit alone gives them out, and
nothing of them is kept on a host. distribution/distribution, docs/spec/auth/jwt.md.
"""

import base64
import json
from datetime import UTC, datetime, timedelta

from runnerkit.engine.certificate import DAYS

ISSUER = "runnerkit"  # and whom it is for


def permit(certificate: str, key: str, repository: str, *actions: str) -> str:
    """The token.

    Args:
        certificate: the registry's, PEM.
        key: the certificate's, PEM.
        repository: the one repository that it is for.
        actions: what it allows there, `pull` and `push`.
    """
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    signer = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    head = {"typ": "JWT", "alg": "ES256", "x5c": ["".join(certificate.splitlines()[1:-1])]}
    claims = {
        "iss": ISSUER,
        "sub": ISSUER,
        "aud": ISSUER,
        "nbf": int((now - timedelta(DAYS)).timestamp()),
        "exp": int((now + timedelta(DAYS)).timestamp()),
        "access": [{"type": "repository", "name": repository, "actions": actions}],
    }
    text = ".".join(_word(json.dumps(part).encode()) for part in (head, claims))
    pair = utils.decode_dss_signature(signer.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_word(b''.join(number.to_bytes(32, 'big') for number in pair))}"


def _word(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
