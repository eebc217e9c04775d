"""Which authorities of certificates are believed: those of a file, or those of the system.

Rule: what is believed is what Python's own default believes, the system's folder and its file of
authorities; it is only read later. OpenSSL finds in the folder the one that it needs, while the
file is read whole, and all of it kept: two megabytes in a process that stays. So the file is read
when a certificate comes whose authority the folder does not have.
"""

import ssl
from pathlib import Path
from socket import socket

# OpenSSL's words for a chain whose end is nobody who is known (X509_V_ERR in x509_vfy.h).
_NOBODY_KNOWN = frozenset({2, 18, 19, 20, 21})


class Trust:
    """Open TLS to who is vouched for: by a file of authorities, or without one by the system."""

    def __init__(self, ca_file: Path | str | None = None) -> None:
        folder = ssl.get_default_verify_paths().capath
        self._whole = ca_file is not None or folder is None
        self._context = (
            ssl.create_default_context(cafile=ca_file)
            if self._whole
            else ssl.create_default_context(capath=folder)
        )

    def wrap(self, opened: socket, host: str) -> ssl.SSLSocket:
        """Greet a host; raises `ssl.SSLError` and `OSError`, and the connection is lost then."""
        return self._context.wrap_socket(opened, server_hostname=host)

    def widened(self, refused: ssl.SSLCertVerificationError) -> bool:
        """Read all that the system believes; says whether who was refused may be known now."""
        if self._whole or refused.verify_code not in _NOBODY_KNOWN:
            return False
        self._context.load_default_certs()
        self._whole = True
        return True
