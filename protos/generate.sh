#!/bin/sh
# Writes libs/contracts: Python modules, type stubs (where mypy-protobuf is installed) and one descriptor image with
# imports and comments. google's protos come from the installed googleapis-common-protos.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
out=libs/contracts
google=$("$python" -c 'import google.api, pathlib; print(pathlib.Path(list(google.api.__path__)[0]).parents[1])')
files=$(cd protos && find carehub -name '*.proto' | LC_ALL=C sort)
rm -rf "$out/carehub"
mkdir -p "$out"
stubs=""
PATH="$(dirname "$python"):$PATH"
if command -v protoc-gen-mypy >/dev/null; then
  stubs="--mypy_out=quiet:$out --mypy_grpc_out=quiet,only_async:$out"
fi
# shellcheck disable=SC2086 # the lists are meant to be split
"$python" -m grpc_tools.protoc -Iprotos -I"$google" --python_out="$out" --grpc_python_out="$out" $stubs \
  --include_imports --include_source_info --descriptor_set_out="$out/contracts.binpb" $files
