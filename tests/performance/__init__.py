"""The bench: what CareHub does in a second, beside what stands for a simpler design on the same machine."""
