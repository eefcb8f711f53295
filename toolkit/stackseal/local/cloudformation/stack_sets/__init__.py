"""StackSets, which neither emulator joins to its stacks: sets, instances and operations of our own over real stacks."""
