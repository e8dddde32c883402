"""monitors/*.yaml -> frozen, typed monitors: `load` reads, `schema` says what is allowed, `explain` words errors."""
