"""`vigil slo` and `vigil prometheus` on a home with forty judged nights: for people, for programs, and wrong words."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from tests.golden.messages.stories import NIGHT
from tests.ui.reliability_state import made
from vigil.cli import app
from vigil.config.load import load_monitor
from vigil.core.errors import DataError, MonitorError
from vigil.verdicts.types import Slo

CREDIT = "credit_scoring"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return made(tmp_path_factory.mktemp("slo"))


@pytest.fixture
def vigil(home):
    folder, state = home

    def run(*words):
        env = {"VIGIL_HOME": str(folder), "VIGIL_STATE": str(state), "COLUMNS": "200"}
        return CliRunner().invoke(app, [str(w) for w in words], env=env)

    return run


def test_objectives_stand_in_a_table_with_their_end_and_the_policy(vigil):
    found = vigil("slo", CREDIT)
    assert found.exit_code == 0, found.output
    line = next(row for row in found.output.splitlines() if row.startswith(" latency"))
    assert " ".join(line.split()) == "latency 95 % of 28 nights 99.850% 97% 0.1x none"
    ends = "latency: not burning; 27 nights judged, 1 not (50% of the coverage budget left)"
    assert ends in found.output
    assert "availability: exhausted" in found.output
    assert "policy     exhausted" in found.output
    assert "post-mortem required" in found.output


def test_the_word_show_may_be_said_or_left_out(vigil):
    assert vigil("slo", CREDIT).output == vigil("slo", "show", CREDIT).output
    assert "export" in vigil("slo", "--help").output


def test_programs_get_the_same_as_json(vigil):
    found = json.loads(vigil("slo", CREDIT, "--json").output)
    assert (found["monitor"], found["night"]) == (CREDIT, str(NIGHT))
    assert [o["slo"]["name"] for o in found["objectives"]] == ["availability", "latency", "fair-nights"]
    assert found["objectives"][0]["budget"]["exhaustion"]["prospect"] == "exhausted"
    assert found["policy"]["post_mortem"] is True
    assert json.loads(vigil("slo", "--json", CREDIT).output) == found


def test_a_past_night_and_what_was_known_then(vigil):
    past = json.loads(vigil("slo", CREDIT, "--night", "2026-11-01", "--json").output)
    assert past["night"] == "2026-11-01"
    missing = vigil("slo", CREDIT, "--night", "2020-01-01")
    assert isinstance(missing.exception, DataError)
    early = vigil("slo", CREDIT, "--known-at", "2020-01-01")
    assert "nothing was judged by 2020-01-01 00:00 UTC" in str(early.exception)


def test_a_model_without_a_judged_night_says_so(vigil):
    assert "iris (production), no night was judged yet" in vigil("slo", "iris").output
    assert "not counted yet" in vigil("slo", "iris").output


def test_an_unknown_monitor_is_named(vigil):
    assert isinstance(vigil("slo", "nobody").exception, MonitorError)


def test_what_is_exported_is_imported_whole(vigil, home, tmp_path):
    text = vigil("slo", "export", CREDIT).stdout
    (tmp_path / "credit.yaml").write_text(text)
    back = vigil("slo", "import", tmp_path / "credit.yaml")
    assert back.exit_code == 0, back.output
    monitor = load_monitor(home[0] / "monitors" / "credit_scoring.yaml")
    fragment = yaml.safe_load(back.stdout)
    assert tuple(Slo.model_validate(s) for s in fragment["slos"]) == monitor.slos
    assert fragment["budget_policy"]["approvers"] == ["risk.board@bank.example"]


def test_what_an_import_cannot_say_is_told_with_its_line_and_an_exit_code(vigil, tmp_path):
    (tmp_path / "x.yaml").write_text("apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: p}\n")
    found = vigil("slo", "import", tmp_path / "x.yaml")
    assert found.exit_code == 1
    assert "x.yaml:1: DataSource p: Vigil counts from its own prediction log" in found.stderr
    assert yaml.safe_load(found.stdout) == {"slos": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", CREDIT, "--format", "nobl9"), "use openslo"),
        (("import", "/nowhere.yaml"), "cannot read"),
        (("decide", "iris", "--by", "ada", "--decision", "x"), "has no `budget_policy:`"),
        (("decide", CREDIT, "--by", " ", "--decision", "x"), "--by"),
    ],
)
def test_what_cannot_be_done_says_why(vigil, words, said):
    assert said in str(vigil("slo", *words).exception)


def test_prometheus_s_text_is_printed_or_written_all_at_once(vigil, tmp_path):
    text = vigil("prometheus").stdout
    assert 'vigil_slo_budget_left_ratio{environment="staging",model="credit_scoring",slo="latency"} 0.97' in text
    file = tmp_path / "vigil.prom"
    file.write_text("old")
    assert vigil("prometheus", "--out", file).exit_code == 0
    assert file.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["vigil.prom"]


def test_a_decision_is_kept_and_shown(tmp_path):
    home, state = made(tmp_path)
    env = {"VIGIL_HOME": str(home), "VIGIL_STATE": str(state), "COLUMNS": "200"}
    words = ["slo", "decide", CREDIT, "--by", "ada", "--decision", "fallback until the join is mended"]
    found = CliRunner().invoke(app, words, env=env)
    assert found.exit_code == 0, found.output
    assert "post-mortem required" not in found.output
    shown = CliRunner().invoke(app, ["ledger", "show", f"model/{CREDIT}"], env=env).stdout
    assert json.loads(shown.splitlines()[-1])["payload"]["what"] == "fallback until the join is mended"
