"""`stonks trading` and `stonks approvals`: the engine steered from a shell, by the same rows as over HTTP."""
