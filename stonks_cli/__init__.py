"""The `stonks` command: a composition root above all other packages, which is why it lives in none of them."""
