"""Words everyone shares. Standard library and pydantic only."""
