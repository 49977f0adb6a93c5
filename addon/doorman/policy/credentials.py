"""Keys, tokens and links: what is kept of each, and never the secret itself."""

import hashlib
import re

# How long an old key or secret may go on working beside a new one.
MAX_OVERLAP_MINUTES = 7 * 24 * 60
# The same of the service's key: where nobody says how long, and at most.
SERVICE_OVERLAP_MINUTES, MAX_SERVICE_OVERLAP_MINUTES = 15, 24 * 60
# Hung on a connection while its key is about to end.
KEY_ENDS = "doorman.mail_activity_key_ends"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def stored_proof(credential):
    """What is kept of a credential: the hash of the proof that the service shows.

    The service sends SHA-256 of the credential, so a copy of this column alone
    lets nobody in: it would have to be turned back into its own preimage.

    :param str credential: as the client sends it, prefix included
    :return: 64 hex digits
    :rtype: str
    """
    return hash_proof(hashlib.sha256(credential.encode()).hexdigest())


def hash_proof(proof):
    """:param str proof: SHA-256 of the credential, as 64 hex digits"""
    return hashlib.sha256(bytes.fromhex(proof)).hexdigest()


def token_digest(token):
    """What is kept of a link: 256 random bits need no slow hash.

    :param str token: as it stands in the link
    :return: 64 hex digits; or None if this is not a token
    :rtype: str or None
    """
    # Whatever a stranger sends is looked at here before anything is done with it.
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        return None
    return hashlib.sha256(token.encode()).hexdigest()
