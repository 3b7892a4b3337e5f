"""Hashing passwords, one at a time: each takes long and 19 MB, so never inside a transaction."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# One thread: memory lent to many threads stays theirs.
_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="argon2")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """The hash to keep (argon2id)."""
    return _ONE_AT_A_TIME.submit(_HASHER.hash, password).result()


def is_password(password_hash: str | None, password: str) -> bool:
    """True when the password fits. No hash at all costs the same work as one."""
    kept = password_hash or _nobodys_hash()
    return _fits(kept, password) and password_hash is not None


def is_weak(password_hash: str) -> bool:
    """True when the hash was made with less work than we ask for today."""
    return _HASHER.check_needs_rehash(password_hash)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _ONE_AT_A_TIME.submit(_HASHER.verify, password_hash, password).result()
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(32))
