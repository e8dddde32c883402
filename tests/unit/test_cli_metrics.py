"""`vigil metrics`: the catalogue for people."""

import pytest
from typer.testing import CliRunner

from vigil.cli import app
from vigil.cli_metrics import rule
from vigil.config.load import lint
from vigil.core.errors import MonitorError
from vigil.core.words import Task
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


@pytest.mark.parametrize("name", list(CATALOG))
def test_the_rule_that_is_offered_passes_lint(tmp_path, name):
    entry = CATALOG[name]
    task = entry.tasks[0]
    decided = "decision: {favourable: approve, deserving: '0'}\nprotected: [{attribute: sex, reference: m}]\n"
    (tmp_path / "bank.yaml").write_text(
        f"version: vigil/v1\nmodel: bank\ntask: {task.value}\nfeatures: {{x: numeric, c: category}}\n"
        f"data: {{score: score}}\n{decided if task is Task.BINARY else ''}people: {{owner: ada@example.com}}\n"
        f"rules:\n  {entry.family.value}:\n    - {rule(entry)}\n"
    )
    assert lint(tmp_path) == {"bank.yaml": None}


def test_a_name_that_is_none_is_answered_with_the_likeliest():
    found, _ = told("pis")
    assert isinstance(found.exception, MonitorError)
    assert "did you mean 'psi'" in str(found.exception)
