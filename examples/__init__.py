"""The models that the demo plays: data, training, nights and faults. Nothing in `vigil` imports this."""
