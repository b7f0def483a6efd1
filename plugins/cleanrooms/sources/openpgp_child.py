"""Decrypts standard input to standard output: the child process of ``cleanrooms.sources.openpgp``.

Run as a text of its own, so it imports nothing of the package. The private key is read from the inherited file
descriptor given as the only argument. Exit status 0 means: decrypted to the end, integrity proven.
Anything else leaves a short cause on standard error, without data or key.
"""

from __future__ import annotations

import os
import sys

# What Sequoia says, by the cause that it stands for. Checked with pysequoia 0.1.35.
CAUSES = {
    "No key to decrypt message": "no-key",
    "Message has been manipulated": "altered",
    "aead::Error": "altered",
    "EOF": "malformed",
    "Malformed": "malformed",
    "Truncated": "malformed",
}


def main(key_descriptor: int) -> int:
    """Decrypt; returns the exit status."""
    import pysequoia

    with os.fdopen(key_descriptor, "rb") as pipe:
        key = pipe.read()
    try:
        decryptor = pysequoia.Tsk.from_bytes(key).decryptor()
    except Exception:
        print("bad-key", file=sys.stderr)
        return 2
    del key
    try:
        pysequoia.decrypt_file("/dev/stdin", "/dev/stdout", decryptor=decryptor)
    except Exception as error:
        first_line = str(error).partition("\n")[0]
        cause = next((cause for said, cause in CAUSES.items() if said in first_line), type(error).__name__)
        print(cause, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
