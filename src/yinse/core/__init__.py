"""Types, errors, events, units and configuration: what every layer may use."""
