"""What the clock and a person ask for besides: cleaning up, filing drift, tracing a stack back, looking for gaps."""
