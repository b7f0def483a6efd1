"""Yandex Metrica's import of customers and orders.

Source: yandex.com, Metrica data import, "Customer data format" and "Hashing (md5)": addresses in lower case, numbers as
digits with their country code, each MD5 in hex. The second page's own sample digests are made up.
"""

from __future__ import annotations

from cleanrooms.identity import email, forms, of_plain
from cleanrooms.identity.dialects.base import Dialect, regionless

YANDEX = Dialect(
    name="yandex",
    version="1",
    source="https://yandex.com/dev/metrika/en/data-import/hashing",
    normalisers={"email": regionless(email.lenient), "phone": forms.international_digits},
    of_plain={"email": of_plain.address(), "phone": of_plain.international_digits()},
    algorithm="MD5",
)
