"""The risk engine for people: orders judged without being sent, its limits, and approvals."""
