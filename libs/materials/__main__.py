"""`python -m libs.materials gateway/web/package-lock.json` prints the bill of this environment."""

import json
import sys
from importlib.metadata import distributions
from pathlib import Path

from libs.materials.bill import bill

if __name__ == "__main__":
    json.dump(bill(distributions(), Path(sys.argv[1])), sys.stdout, indent=1)
