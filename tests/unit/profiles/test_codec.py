import json
import zlib
from pathlib import Path

import pytest

from vigil.core.errors import DataError
from vigil.core.words import Task
from vigil.profiles.codec import CURRENT, decode, encode
from vigil.profiles.merge import merge
from vigil.profiles.types import Columns, NumericColumn, Profile

STORED = Path(__file__).parent / "stored"


def profile(**parts) -> Profile:
    return Profile(**{"monitor": "m", "environment": "test", "task": Task.BINARY, "edges_digest": "e", **parts})


def altered(**parts) -> bytes:
    return zlib.compress(json.dumps({**json.loads(zlib.decompress(encode(profile()))), **parts}).encode())


def test_equal_profiles_give_equal_bytes_whatever_order_their_maps_were_made_in():
    assert encode(profile(versions={"1": 2, "2": 3})) == encode(profile(versions={"2": 3, "1": 2}))


def test_text_from_data_survives():
    odd = {"🦜": 1, "<script>alert(1)</script>": 2, "a\tb\n\"'": 3, "": 4}
    assert decode(encode(profile(pipelines=odd))).pipelines == odd


def test_a_profile_of_a_newer_vigil_says_so():
    with pytest.raises(DataError, match=rf"version {CURRENT + 1}.*upgrade Vigil"):
        decode(altered(schema_version=CURRENT + 1))


@pytest.mark.parametrize(
    "stored", [b"", b"not compressed", zlib.compress(b"[]"), zlib.compress(b"{}"), zlib.compress(b"{")]
)
def test_bytes_that_are_no_profile_are_refused_with_the_next_step(stored):
    with pytest.raises(DataError, match="run the night again"):
        decode(stored)


def test_a_version_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="cannot be read"):
        decode(altered(schema_version="new"))


def test_a_profile_with_an_impossible_field_is_refused_by_name_and_without_its_value():
    with pytest.raises(DataError, match="rows") as caught:
        decode(altered(rows="SECRET"))
    assert "SECRET" not in str(caught.value)


# what earlier versions stored


def first_version() -> Profile:
    return decode((STORED / "profile_v1.zlib").read_bytes())


def test_a_profile_of_the_first_version_is_read_with_the_numbers_it_was_stored_with():
    raw = json.loads(zlib.decompress((STORED / "profile_v1.zlib").read_bytes()))
    assert raw.pop("schema_version") == 1
    read = first_version()
    assert read.schema_version == CURRENT
    now = json.loads(read.model_dump_json())

    def has(then, now):
        if not isinstance(then, dict):
            return then == now
        return all(has(v, now[k]) for k, v in then.items() if k not in ("low_sum", "high_sum"))

    assert has(raw, now)
    city = read.columns.category["city"]
    assert (city.new, city.other, city.new_hashes) == (2, 0, ())
    assert read.hours_service == {}
    assert {c.tail_rows for c in read.columns.numeric.values()} == {0}


def test_a_profile_of_the_third_version_keeps_its_tails_and_has_no_weighted_losses():
    new = ("weighted_losses", "neither", "neither_examples")
    column = NumericColumn(rows=2, bins=(1, 1), tail_rows=2, low_tail=1.0, high_tail=5.0)
    raw = json.loads(profile(columns=Columns(numeric={"x": column})).model_dump_json())
    raw |= {"schema_version": 3, "outcome": {k: v for k, v in raw["outcome"].items() if k not in new}}
    read = decode(zlib.compress(json.dumps(raw).encode()))
    assert (read.schema_version, read.columns.numeric["x"]) == (CURRENT, column)
    assert (read.outcome.weighted_losses, read.outcome.neither) == ({}, 0)


def test_a_profile_of_the_first_version_is_stored_again_as_one_of_this_version():
    assert json.loads(zlib.decompress(encode(first_version())))["schema_version"] == CURRENT


def test_a_profile_of_the_first_version_adds_up_with_one_of_this_version():
    old = first_version()
    new = old.model_copy(update={"hours_service": {"9": (8, 1)}})
    both = merge(old, new)
    assert (both.rows, both.hours_service, both.schema_version) == (16, {"9": (8, 1)}, CURRENT)
    assert both.columns.category["city"].new == 4
