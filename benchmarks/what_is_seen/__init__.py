"""What each tool sees of a heap, case by case: the truth table of docs/what-is-seen.md."""
