"""Canonical forms: the plain dialect's rules, and what holds for every dialect."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleanrooms.errors import ConfigError
from cleanrooms.identity import (
    DIALECTS,
    IDENTIFIERS,
    IdentityColumn,
    Reason,
    dialect,
    email,
    normalise,
    normalise_by_region,
    phone,
    streets,
)
from cleanrooms.identity.text import PLACEHOLDERS

SHARED = [HealthCheck.function_scoped_fixture]
PAIRS = [(d, i) for d in DIALECTS.values() for i in d.normalisers]
DIRT = (
    st.text(max_size=40)
    | st.text(alphabet="aA @.+-0123456789()/ \t\u00a0éİΣß\u200b\ufeff\u0301’", max_size=25)
    | st.lists(
        st.sampled_from(["mr. ", "Mrs. ", ", Jr.", " phd", "x", " ii", "(0)", "1/2/1990", "null"])
    ).map("".join)
    | st.emails()
)


def one(
    identifier: str, text: str | None, dialect_name: str = "plain", region: str | None = None
) -> str | None:
    values, _ = normalise(identifier, dialect_name, pl.Series("v", [text], pl.String), region=region)
    return values[0]


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize(
    ("identifier", "text", "canonical"),
    [
        ("email", "  Ann.Lee+x@Example.COM\u00a0", "ann.lee+x@example.com"),
        ("email", "josé@münchen.de", "josé@münchen.de"),
        ("phone", "(408) 341-5669", "+14083415669"),
        ("phone", "+44 20 7946 0958", "+442079460958"),
        ("first_name", " Mary  Ann ", "mary ann"),
        ("last_name", "O'Neil", "o'neil"),
        ("full_name", "정 민수", "정 민수"),
        ("street", " 12  Main St. ", "12 main st."),
        ("city", "São Paulo", "são paulo"),
        ("state", "CA", "ca"),
        ("postal_code", "75236-9599", "75236"),
        ("country", "UK", "gb"),
        ("birth_date", "19960314", "1996-03-14"),
        ("mobile_ad_id", "F81D4FAE7DEC11D0A76500A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ],
)
def test_plain_form(identifier: str, text: str, canonical: str) -> None:
    assert one(identifier, text, region="US") == canonical


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize(
    ("identifier", "text", "reason"),
    [
        ("email", None, "missing"),
        ("email", " \t\u200b", "missing"),
        ("email", "N/A", "placeholder"),
        ("email", "noemail@shop.com", "placeholder"),
        ("email", "na@na.com", "placeholder"),
        ("email", "none@x.org", "placeholder"),
        ("email", "test@test.com", "placeholder"),
        ("email", "ann@localhost", "malformed"),
        ("email", "ann@ex..com", "malformed"),
        ("email", "ann lee@ex.com", "malformed"),
        ("email", "a" * 65 + "@ex.com", "malformed"),
        ("phone", "0000000000", "placeholder"),
        ("phone", "12", "impossible"),
        ("phone", "call me", "malformed"),
        ("first_name", "123", "malformed"),
        ("postal_code", "00000", "placeholder"),
        ("country", "Atlantis", "malformed"),
        ("country", "zz", "impossible"),
        ("birth_date", "02/03/1990", "malformed"),
        ("birth_date", "1990-02-31", "impossible"),
        ("birth_date", "1900-01-01", "placeholder"),
        ("mobile_ad_id", "00000000-0000-0000-0000-000000000000", "placeholder"),
    ],
)
def test_what_has_no_plain_form_is_null_with_its_reason(
    identifier: str, text: str | None, reason: str
) -> None:
    values, reasons = normalise(identifier, "plain", pl.Series("v", [text], pl.String), region="US")
    assert values.to_list() == [None]
    assert reasons == Counter({reason: 1})


def test_a_national_number_without_a_region_says_so() -> None:
    _, reasons = normalise("phone", "plain", pl.Series(["408 341 5669"]))
    assert reasons == Counter({"no_region": 1})


@pytest.mark.usefixtures("each_way")
def test_reasons_count_rows_and_not_distinct_values() -> None:
    values = pl.Series(["x", "x", None, "n/a", "ann@ex.com"])
    canonical, reasons = normalise("email", "plain", values)
    assert canonical.to_list() == [None, None, None, None, "ann@ex.com"]
    assert reasons == Counter({"malformed": 2, "missing": 1, "placeholder": 1})


def test_whole_numbers_and_dates_are_read_as_text() -> None:
    assert normalise("phone", "plain", pl.Series([4083415669]), region="US")[0][0] == "+14083415669"
    assert normalise("birth_date", "plain", pl.Series(["1990-02-03"]).str.to_date())[0][0] == "1990-02-03"


def test_a_floating_point_column_is_refused() -> None:
    with pytest.raises(ConfigError, match="no one spelling"):
        normalise("phone", "plain", pl.Series([4083415669.0]), region="US")


@pytest.mark.parametrize("chosen", PAIRS, ids=lambda p: f"{p[0].name}-{p[1]}")
@settings(max_examples=15, deadline=None)
@given(text=DIRT, elsewhere=st.sampled_from([None, "GB", "DE"]))
def test_any_text_gives_a_value_or_a_reason_and_twice_changes_nothing(  # type: ignore[no-untyped-def]
    chosen, text: str, elsewhere: str | None
) -> None:
    found, identifier = chosen
    # Digits without a plus may be another number in another region, so phones are settled in one.
    region = "US" if identifier == "phone" else elsewhere
    for place in ("US", region):
        once = found.normalisers[identifier](text, place)
        assert once != ""
        if not isinstance(once, Reason):
            assert found.normalisers[identifier](once, place) == once


@pytest.mark.parametrize("chosen", PAIRS, ids=lambda p: f"{p[0].name}-{p[1]}")
def test_no_placeholder_has_a_canonical_form(chosen) -> None:  # type: ignore[no-untyped-def]
    found, identifier = chosen
    for text in ("", " ", "\ufeff", *PLACEHOLDERS, *(p.upper() for p in PLACEHOLDERS)):
        assert isinstance(found.normalisers[identifier](text, "US"), Reason), text


@pytest.mark.usefixtures("each_way")
@settings(max_examples=150, deadline=None, suppress_health_check=SHARED)
@given(st.lists(st.none() | DIRT, max_size=20))
def test_addresses_of_a_column_equal_those_one_by_one(texts: list[str | None]) -> None:
    values, reasons = normalise("email", "plain", pl.Series("v", texts, pl.String))
    single = [Reason.MISSING if t is None else email.plain(t) for t in texts]
    assert values.to_list() == [None if isinstance(s, Reason) else s for s in single]
    assert reasons == Counter(s.value for s in single if isinstance(s, Reason))


@pytest.mark.usefixtures("each_way")
def test_addresses_of_a_column_equal_those_one_by_one_on_every_assigned_character() -> None:
    points = (chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n < 0xE000)
    texts = [f"{c}a@x{c}.com" for c in points if unicodedata.category(c) != "Cn"]
    values, _ = normalise("email", "plain", pl.Series(texts))
    single = [email.plain(t) for t in texts]
    assert values.to_list() == [None if isinstance(s, Reason) else s for s in single]


@pytest.mark.usefixtures("each_way")
@settings(max_examples=300, deadline=None, suppress_health_check=SHARED)
@given(
    st.from_regex(r"(\+?1)?[ .-]?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}", fullmatch=True),
    st.sampled_from(["US", "CA", "GB", "DE"]),
)
def test_phone_numbers_of_a_column_equal_those_one_by_one(text: str, region: str) -> None:
    single = phone.e164(text, region)
    assert one("phone", text, region=region) == (None if isinstance(single, Reason) else single)


def test_a_phone_is_read_in_the_region_beside_it_and_else_in_the_default() -> None:
    numbers = ["020 7946 0958", "(408) 341-5669", "+49 30 901820", "(408) 341-5669", "408 341 5669", None]
    regions = pl.Series("country", [" gb", "US", "US", None, "", "DE"])
    values, reasons = normalise_by_region("phone", "plain", pl.Series("phone", numbers), regions, "US")
    assert values.name == "phone"
    assert values.to_list() == [
        "+442079460958", "+14083415669", "+4930901820", "+14083415669", "+14083415669", None,
    ]  # fmt: skip
    assert reasons == {"missing": 1}


def test_beside_what_is_no_region_only_international_numbers_are_read() -> None:
    regions = pl.Series("r", ["Narnia", "Narnia"])
    values, reasons = normalise_by_region(
        "phone", "plain", pl.Series("p", ["(408) 341-5669", "+14083415669"]), regions, "US"
    )
    assert values.to_list() == [None, "+14083415669"]
    assert reasons == {"no_region": 1}


@pytest.mark.usefixtures("each_way")
def test_a_column_without_rows_stays_empty_whatever_its_regions() -> None:
    nothing = pl.Series("p", [], pl.String)
    assert normalise_by_region("phone", "plain", nothing, nothing)[0].to_list() == []


def test_dialects_are_found_by_name_version_and_alias() -> None:
    assert dialect("uid2@2").label == "uid2@2"
    assert dialect("google").name == "google_data_manager"
    with pytest.raises(ConfigError, match="is at version 2, not 1"):
        dialect("uid2@1")
    with pytest.raises(ConfigError, match="dialect 'nobody' is unknown"):
        dialect("nobody")


def test_the_plain_dialect_has_every_identifier() -> None:
    assert set(DIALECTS["plain"].normalisers) == set(IDENTIFIERS)


def test_every_dialect_names_its_source() -> None:
    assert all(d.source and d.version for d in DIALECTS.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("email", "email", "nobody"), "dialect 'nobody' is unknown"),
        (("b", "birth_date", "uid2"), "uid2@2 has no identifier 'birth_date'"),
        (("phone", "phone", "plain", "XX"), "region 'XX' is unknown"),
    ],
)
def test_an_identity_column_that_cannot_be_normalised_is_refused(
    arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        IdentityColumn(*arguments)


@pytest.mark.parametrize("country", ["us", "ca", "gb", "de", "fr", "it", "es", "jp", "in"])
def test_every_street_word_settles(country: str) -> None:
    words = streets.COMMON | streets.TABLES.get(country, streets.DEFAULT)
    for word in words:
        once = one("street", f"12 {word}", f"amazon_amc_{country}")
        assert once is not None
        assert one("street", once, f"amazon_amc_{country}") == once


def test_an_avenue_is_written_as_each_country_writes_it() -> None:
    assert one("street", "5 Avenue Foch", "amazon_amc_fr") == "5avefoch"
    assert one("street", "5 Ave Foch", "amazon_amc_fr") == "5avefoch"
    assert one("street", "3 Pl. Mayor", "amazon_amc_es") == "3plazamayor"


@pytest.mark.parametrize(
    ("country", "text", "canonical"),
    [
        ("us", "39 West Street", "39wst"),
        ("de", "Hauptstraße 12", "hauptstrasse12"),
        ("gb", "12-14 High Street", "12-14highst"),
        ("gb", "12-a High Street", "12ahighst"),
        ("es", "Av. Diagonal 640", "avdiagonal640"),
    ],
)
def test_streets_are_written_as_amazon_writes_them_and_stay_so(
    country: str, text: str, canonical: str
) -> None:
    assert one("street", text, f"amazon_amc_{country}") == canonical
    assert one("street", canonical, f"amazon_amc_{country}") == canonical


@pytest.mark.parametrize(
    ("text", "region", "canonical"),
    [
        ("65 1243 5678", "SG", "+6512435678"),
        ("65 1243 5678", None, None),
        ("+65 1243 5678", None, "+6512435678"),
        ("(555) 555-5555", "US", None),
        ("+1 111-111-1111", "US", None),
        ("1 234", "US", None),
    ],
)
def test_a_number_written_with_its_country_code_need_not_be_assigned(
    text: str, region: str | None, canonical: str | None
) -> None:
    assert one("phone", text, "uid2", region) == canonical
    assert one("phone", text, "google_ads", region) == canonical


@pytest.mark.parametrize("name", ["meta", "pinterest", "snap", "tiktok", "liveramp", "google_data_manager"])
def test_a_digest_in_a_column_of_phones_is_no_phone(name: str) -> None:
    assert one("phone", "8df99a46f811595e1a1de5016e2445bc202f72b946482032a75aec528a0a350d", name) is None
