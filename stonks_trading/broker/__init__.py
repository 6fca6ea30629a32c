"""The broker's side: the adapter, the order outbox, the booking of fills, and what keeps our books equal to the broker's."""
