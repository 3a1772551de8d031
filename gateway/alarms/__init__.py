"""Rules over readings: `judging.Judge` says what is broken, `outputs.Outputs` makes it heard."""
