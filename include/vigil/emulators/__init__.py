"""Local doubles of outside services, for the demo and the tests. Nothing in Vigil imports them."""
