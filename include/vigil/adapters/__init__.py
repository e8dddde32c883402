"""Every third-party client, behind a port. Adapters know ports, not each other; they meet in `wiring`."""
