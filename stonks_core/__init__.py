"""What every other package stands on: settings, time, money, errors, identifiers, shared records and the stores."""
