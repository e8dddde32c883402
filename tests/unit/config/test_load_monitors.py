"""A folder of monitors: a broken one takes no other down, whatever is in it."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigil.config.explain import dotted, fields_at, locate
from vigil.config.load import get, lint, load_all, load_monitor, whose
from vigil.config.schema import Monitor
from vigil.core.errors import MonitorError

SMALL = """\
version: vigil/v1
model: {model}
task: regression
features: {{x: numeric}}
people: {{owner: ada@example.com}}
"""
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "monitors"
    folder.mkdir()
    return folder


def write(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)


def test_the_monitors_of_this_repository_are_valid():
    told = lint(ROOT / "monitors", expectations_dir=ROOT / "expectations")
    assert {name: problem for name, problem in told.items() if problem} == {}
    assert told


def test_good_monitors_load_and_broken_ones_are_told_by_file(folder):
    write(folder, a=SMALL.format(model="alpha"), b="model: [", c=SMALL.format(model="gamma").replace("task", "tusk"))
    good, broken = load_all(folder)
    assert list(good) == ["alpha"]
    assert set(broken) == {"b.yaml", "c.yaml"}
    assert broken["c.yaml"].splitlines() == [
        "monitors/c.yaml:1: 'task' is missing; add it",
        "monitors/c.yaml:3: tusk: unknown key 'tusk'; did you mean 'task'?",
    ]


def test_two_files_for_one_model_are_an_error_of_both_and_of_no_other(folder):
    write(folder, a=SMALL.format(model="alpha"), b=SMALL.format(model="alpha"), c=SMALL.format(model="gamma"))
    good, broken = load_all(folder)
    assert list(good) == ["gamma"]
    assert broken == {
        name: f"monitors/{name}:2: model: model 'alpha' is watched by a.yaml and b.yaml; keep one"
        for name in ("a.yaml", "b.yaml")
    }
    assert [name for name, problem in lint(folder).items() if problem] == ["a.yaml", "b.yaml"]


def test_yml_counts_and_other_files_do_not(folder):
    for name, model in (("a.yml", "alpha"), ("b.yaml", "beta"), ("c.yaml.bak", "gamma"), ("README.md", "x")):
        (folder / name).write_text(SMALL.format(model=model))
    assert sorted(load_all(folder)[0]) == ["alpha", "beta"]


def test_a_folder_that_is_not_there_holds_no_monitors(tmp_path):
    assert load_all(tmp_path / "none") == ({}, {})
    assert lint(tmp_path / "none") == {}


def test_a_model_without_a_monitor_is_told_the_near_name_and_what_is_broken(folder):
    write(folder, a=SMALL.format(model="alpha"), b="model: [")
    assert get(folder, "alpha").model == "alpha"
    with pytest.raises(MonitorError) as caught:
        get(folder, "alhpa")
    first, second = str(caught.value).splitlines()
    assert first == "monitors/: no monitor for model 'alhpa'; did you mean 'alpha'?"
    assert second.startswith("monitors/b.yaml:1: not valid YAML:")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        "- " * 5_000 + "x",
        "a: &a [*a]",
        "&a {model: *a, features: *a}",
        "{[1]: 2}",
        "1: 2",
        "model: !!python/object/apply:os.system [true]",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: &e [*d, *d]",
        "\x00",
        "rules: {drift: {metric: psi}}",
        "rules: {1: [{metric: psi, subjects: [1]}]}",
        "protected: [{attribute: {a: b}, reference: [c], groups: [[c]]}]",
        "slos: [{sli: latency}, 3]\nfeatures: [a]\nsuite: [x]\nschedule: 5\ntask: [binary]",
    ],
    ids=lambda text: text[:24].replace("\x00", "NUL"),
)
def test_hostile_yaml_breaks_its_own_monitor_only(folder, text):
    write(folder, a=SMALL.format(model="alpha"), b=text)
    good, broken = load_all(folder)
    assert list(good) == ["alpha"]
    assert broken["b.yaml"].startswith("monitors/b.yaml:")


GOOD = yaml.safe_load((ROOT / "monitors" / "credit_scoring.yaml").read_text())
ODD = st.sampled_from([None, True, 3, -1.5, "text", "no", "> 1", "", [], [1, "x"], {}, {"a": 1}, [{"metric": "psi"}]])


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def spoiled(value, path, odd):
    if not path:
        return odd
    head, *rest = path
    if isinstance(value, dict):
        return {k: spoiled(v, rest, odd) if k == head else v for k, v in value.items()}
    return [spoiled(v, rest, odd) if k == head else v for k, v in enumerate(value)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(list(places(GOOD))), odd=ODD)
def test_whatever_stands_at_a_place_the_file_loads_or_is_told_with_a_place_in_it(folder, path, odd):
    text = yaml.safe_dump(spoiled(GOOD, path, odd), sort_keys=False)
    (folder / "spoiled.yaml").write_text(text)
    try:
        assert isinstance(load_monitor(folder / "spoiled.yaml"), Monitor)
    except MonitorError as error:
        lines = str(error).splitlines()
        assert lines
        for line in lines:
            file, number, _ = line.split(":", 2)
            assert file == "monitors/spoiled.yaml"
            assert 1 <= int(number) <= max(1, text.count("\n"))
    assert set(lint(folder)) == {"spoiled.yaml"}


@given(path=st.sampled_from(list(places(GOOD))))
def test_a_path_is_located_where_the_document_has_it(path):
    root = yaml.compose(yaml.safe_dump(GOOD, sort_keys=False))
    value = GOOD
    for step in path:
        value = value[step]
    node = locate(root, path)
    loader = yaml.SafeLoader("")
    assert loader.construct_document(node) == value
    assert all(str(step) in dotted(path) for step in path)


def test_the_schema_knows_the_keys_of_its_parts():
    assert "metric" in fields_at(("rules", "drift", 3))
    assert "reference" in fields_at(("protected", 0))
    assert "owner" in fields_at(("people",))
    assert fields_at(("features",)) == []
    assert fields_at(("response", "room")) == []
    assert fields_at(("nothing", "here")) == []


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("version: vigil/v1\nmodel: shop\nbins: many\n", "shop"),
        ("model: 'shop'\n\tbad: [", "shop"),
        ("  model: inner\n}", "orders"),
        ("", "orders"),
    ],
)
def test_a_broken_file_still_tells_whose_it_is(folder, text, model):
    (folder / "orders.yaml").write_text(text)
    assert whose(folder, "orders.yaml") == model
