"""The catalogue: every line leads to a metric that is documented by a running example."""

import doctest
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import vigil.metrics
from vigil.core.words import Family
from vigil.metrics.catalog import CATALOG, suggest
from vigil.metrics.evaluate import load

MODULES = sorted(m.name for m in pkgutil.walk_packages(vigil.metrics.__path__, "vigil.metrics."))


@pytest.mark.parametrize("name", CATALOG)
def test_a_line_of_the_catalogue_leads_to_a_function_of_its_name_in_the_folder_of_its_family(name):
    entry = CATALOG[name]
    function = load(entry)
    assert function.__name__ == name == entry.name
    assert entry.path.startswith(f"vigil.metrics.{entry.family.value}.")
    assert function.__doc__
    assert entry.says
    assert "\n" not in entry.says


@pytest.mark.parametrize("name", CATALOG)
def test_the_module_of_a_metric_has_an_example(name):
    module = import_module(CATALOG[name].path.partition(":")[0])
    assert any(test.examples for test in doctest.DocTestFinder().find(module))


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_the_metrics_run(module):
    assert doctest.testmod(import_module(module)).failed == 0


def test_every_family_is_measured():
    assert {entry.family for entry in CATALOG.values()} == set(Family)


def test_a_metric_says_whether_it_needs_labels():
    needing = {e.name for e in CATALOG.values() if e.needs_labels}
    assert {"recall", "auc", "rmse", "equal_opportunity", "label_drift"} <= needing
    assert not needing & {"label_coverage", "psi", "selection_rate_ratio"}
    assert not any(CATALOG[n].family is Family.SERVICE for n in needing)


@pytest.mark.parametrize(("typed", "meant"), [("mean_shfit", "mean_shift"), ("Recall", "recall"), ("zzzzzz", None)])
def test_a_misspelt_metric_gets_a_suggestion(typed, meant):
    assert suggest(typed) == meant


def test_the_catalogue_is_light_enough_to_be_read_when_a_dag_is_parsed():
    code = (
        "import sys, vigil.metrics.catalog, vigil.metrics.evaluate, vigil.metrics.pool;"
        "print(sorted({'numpy', 'scipy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
