"""Regimes, faults and trials are frozen: a judge that was tuned on them must not find them changed."""

from vigil.simulation.regimes import FaultKind, digest, load

FROZEN = "9cb5dce182f309282424b7ec5fbd412241732e03a60fa34f416f1727be480ab4"


def test_the_regimes_are_those_that_were_frozen():
    assert digest() == FROZEN, (
        "include/vigil/simulation/regimes.yaml changed. Every published detection figure was measured on the old one: "
        "if that is meant, say why in a commit of its own, run the FULL benchmark, and pin the new digest here"
    )


def test_the_file_describes_every_fault_and_the_regimes_that_were_asked_for():
    spec = load()
    assert set(spec.faults) == set(FaultKind)
    assert set(spec.regimes) == {"iid", "real", "hard", "common"}
    assert len(spec.numeric) == 15
    assert [len(levels) for levels in spec.category.values()] == [2, 3, 5, 8, 12]
    assert {one.kind.value for one in spec.numeric.values()} == {
        "normal", "lognormal", "heavy_tailed", "zero_inflated", "integer", "bimodal", "ordinal", "score"
    }  # fmt: skip


def test_shares_of_groups_and_levels_add_up_to_one():
    spec = load()
    for levels in ({**spec.population.groups}, *spec.category.values()):
        assert abs(sum(levels.values()) - 1) < 1e-9
