"""Reports lie below their monitor's night, and nowhere else."""

from datetime import date

import pytest

from vigil.adapters.file_artifacts import FileArtifacts

NIGHT = date(2026, 3, 1)


def test_the_folder_of_a_file_exists_when_its_path_is_told(tmp_path):
    path = FileArtifacts(tmp_path, "http://x").path("iris", NIGHT, "docs/index.html")
    assert path == tmp_path / "iris" / "2026-03-01" / "docs" / "index.html"
    assert path.parent.is_dir()


def test_the_address_is_the_one_of_the_plugin_and_is_quoted():
    url = FileArtifacts("r", "http://h:8080/").url("iris", NIGHT, 'a "b"<c>.html')
    assert url == "http://h:8080/vigil/report/iris/2026-03-01/a%20%22b%22%3Cc%3E.html"


@pytest.mark.parametrize(
    ("monitor", "name"), [("iris", "../other.html"), ("iris", "/etc/passwd"), ("iris", ""), ("..", "a"), ("a/b", "c")]
)
def test_a_name_that_leads_elsewhere_is_refused_and_makes_no_folder(tmp_path, monitor, name):
    root = tmp_path / "artifacts"
    with pytest.raises(ValueError, match="lead elsewhere"):
        FileArtifacts(root, "http://x").path(monitor, NIGHT, name)
    assert not root.exists()
