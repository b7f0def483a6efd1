"""Our whole path of a night, without S3: decrypt, parse, contract, recipe, hygiene gate, Parquet."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import pysequoia

from bench.tasks import COLUMNS, TYPES, Meter, Task
from cleanrooms.config.contract import Column, Contract
from cleanrooms.config.export import CSV
from cleanrooms.identity import IdentityColumn, SecretKey, native
from cleanrooms.identity.hygiene import Gate
from cleanrooms.recipes import Recipe
from cleanrooms.sources.contract import check_rows, contract_schema
from cleanrooms.sources.formats import Unpacked, read_csv
from cleanrooms.sources.openpgp import decrypted
from cleanrooms.sources.pipeline import ordered_map
from cleanrooms.sources.rows import joined
from cleanrooms.tables.parquet import ParquetSink

NOT_TEXT = bytes(range(200, 232))
"""A key of the same length that no text has as its bytes."""
_ZIP = {"encrypted": "none", "encrypted-zip": "zip"}
_CHUNK = 1 << 20


def clear(task: Task, source: Path, target: Path, meter: Meter) -> None:
    _run(task, source, target, meter, encoding="hex")


def binary(task: Task, source: Path, target: Path, meter: Meter) -> None:
    """Keys as 32 bytes instead of 64 hexadecimal digits."""
    _run(task, source, target, meter, encoding="binary")


def uncompiled(task: Task, source: Path, target: Path, meter: Meter) -> None:
    """As if the compiled package were not installed."""
    native.library = None
    _run(task, source, target, meter, encoding="hex")


def bytes_key(task: Task, source: Path, target: Path, meter: Meter) -> None:
    _run(Task(task.name, NOT_TEXT), source, target, meter, encoding="hex")


def encrypted(task: Task, source: Path, target: Path, meter: Meter) -> None:
    _run(task, _ciphertext(source, "encrypted"), target, meter, encoding="hex", key=_private_key(source))


def encrypted_zip(task: Task, source: Path, target: Path, meter: Meter) -> None:
    _run(task, _ciphertext(source, "encrypted-zip"), target, meter, encoding="hex", key=_private_key(source))


def decrypt(task: Task, source: Path, target: Path, meter: Meter) -> None:
    """Decryption alone, to know how much of it the rest hides."""
    file, key = _ciphertext(source, "encrypted"), _private_key(source)
    meter.start()
    with file.open("rb") as packed, decrypted(packed, key, file.name) as plain:
        while plain.read(_CHUNK):
            pass
    target.touch()


def _run(
    task: Task, source: Path, target: Path, meter: Meter, *, encoding: str, key: SecretKey | None = None
) -> None:
    contract = Contract(columns=tuple(Column(name=n, type=TYPES.get(n, "string")) for n in COLUMNS))  # type: ignore[arg-type]
    secret = SecretKey(task.key, "bench") if task.key else None
    identity = [IdentityColumn("email", "email"), IdentityColumn("phone", "phone", region="US")]
    plan = Recipe.parse(_recipe(task)).compile(
        contract_schema(contract), lambda name: secret, hash_encoding=encoding, identity=identity
    )
    gate = Gate(plan.output_schema, lambda epoch: [secret])
    meter.start()
    with source.open("rb") as packed, target.open("wb") as out:
        sink = ParquetSink(out, plan.output_schema)

        def clean(rows: Any) -> Any:
            good = check_rows(rows, contract).good
            batch = plan.apply(good)
            return batch, gate.look(batch, good.num_rows)

        with _plain(packed, key) as file:
            parts = read_csv(Unpacked(file, "none", 1 << 40, source.name), CSV(), contract, source.name)
            for batch, look in ordered_map(clean, joined(parts)):
                gate.add(look)
                sink.write(batch)
        sink.close()
    gate.facts()


def _plain(packed: IO[bytes], key: SecretKey | None) -> Any:
    return nullcontext(packed) if key is None else decrypted(packed, key, "people")


def _recipe(task: Task) -> list[dict[str, Any]]:
    hashing = {"sourceColumns": '["email","phone"]', "algorithm": "HMAC_SHA256", "secretId": "key"}
    if task.key is None:
        hashing = {"sourceColumns": '["email","phone"]', "algorithm": "SHA256"}
    renamed = [{"sourceColumn": name, "targetColumn": f"{name}_key"} for name in ("email", "phone")]
    steps = [("CRYPTOGRAPHIC_HASH", hashing), *(("RENAME", names) for names in renamed)]
    steps += [("DELETE", {"sourceColumn": name}) for name in ("first_name", "last_name")]
    return [{"Action": {"Operation": what, "Parameters": how}} for what, how in steps]


def _private_key(source: Path) -> SecretKey:
    return SecretKey((source.parent / "private.asc").read_bytes(), "bench")


def _ciphertext(source: Path, kind: str) -> Path:
    return source.with_suffix(f".{kind}.pgp")


def encrypt(source: Path, kind: str) -> bool:
    """Write the encrypted file, unless it is there, with a key of its own folder; False where there is no gpg."""
    if shutil.which("gpg") is None:
        return False
    private, target = source.parent / "private.asc", _ciphertext(source, kind)
    if not private.exists():
        private.write_text(str(pysequoia.Tsk.generate("Bench <bench@example.com>")))
    if target.exists():
        return True
    with _keyring(private) as gpg:
        options = [
            "--trust-model",
            "always",
            "--compress-algo",
            _ZIP[kind],
            "--recipient",
            "bench@example.com",
        ]
        subprocess.run([*gpg, *options, "--output", str(target), "--encrypt", str(source)], check=True)
    return True


@contextmanager
def _keyring(private: Path) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        subprocess.run([*gpg, "--import", str(private)], check=True)
        yield gpg
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)
