"""monitors/*.yaml -> frozen, typed monitors: `load` reads, `schema` defines the keys, `explain` words errors."""
