"""The yardstick: what a step costs, beside the published algorithms and beside the floor, measured in one run.

python -m impress_ui bench --quick --json
python -m impress_ui bench --write docs/performance.md
"""
