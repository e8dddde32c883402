"""`vigil metrics`: the catalogue for people."""

import pytest
from typer.testing import CliRunner

from vigil.cli import app
from vigil.core.errors import MonitorError
from vigil.metrics.catalog import CATALOG


def told(*words):
    found = CliRunner().invoke(app, ["metrics", *words], env={"COLUMNS": "200"})
    return found, found.output


def test_every_metric_is_listed_with_its_unit_and_what_it_says():
    _, text = told()
    for entry in CATALOG.values():
        assert entry.name in text
        assert entry.says.split()[0] in text
    assert f"{len(CATALOG)} metrics" in text


def test_the_list_can_be_narrowed_to_a_layer_and_a_kind_of_model():
    _, text = told("--family", "performance", "--task", "regression")
    assert "rmse" in text
    assert "recall" not in text
    assert "psi" not in text.split()


@pytest.mark.parametrize("name", list(CATALOG))
def test_a_metric_is_explained_with_its_formula_direction_and_a_rule_that_loads(name):
    import yaml

    from vigil.verdicts.types import Rule

    found, text = told(name)
    assert found.exit_code == 0
    assert CATALOG[name].family.value in text
    assert ">>>" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("  - {metric")]
    assert Rule.model_validate(yaml.safe_load(line)[0]).metric == name


def test_a_name_that_is_none_is_answered_with_the_likeliest():
    found, _ = told("pis")
    assert isinstance(found.exception, MonitorError)
    assert "did you mean 'psi'" in str(found.exception)
