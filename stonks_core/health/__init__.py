"""The verdict on the data's health: judged by the assets, stored for the daemon, shown to people."""
