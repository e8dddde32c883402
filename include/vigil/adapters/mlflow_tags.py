"""Names of the tags and artefacts that Vigil adds to MLflow's versions and runs."""

SERVE = "vigil.serve"  # on the registered model: champion | fallback
MANIFEST = "vigil.manifest"  # JSON: path -> sha256
MANIFEST_SHA = "vigil.manifest.sha256"  # digest of the manifest, when it is kept as an artefact
DATASET = "vigil.dataset.sha256"
COMMIT = "vigil.git.commit"
DIRTY = "vigil.git.dirty"
INPUTS = "vigil.inputs"  # JSON: column -> MLflow type
HOLDOUT = "vigil.holdout.sha256"
NIGHT_KEY = "vigil.night_key"

HOLDOUT_FILE = "vigil/holdout.parquet"
MANIFEST_FILE = "vigil/manifest.json"
MANIFEST_TAG_BYTES = 16_000  # a longer manifest is kept as an artefact
