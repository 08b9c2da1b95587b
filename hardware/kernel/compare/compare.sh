#!/bin/sh
# Times the steps of BenchmarkStep here and in PyTorch, turn by turn, so that both see the same machine, and prints the best of each with
# their ratio. Needs PyTorch for the Python named by PYTHON (Debian: python3-torch and /usr/bin/python3).
#
#   compare.sh [rounds] [threads]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
rounds=${1:-5} threads=${2:-2} python=${PYTHON:-/usr/bin/python3}
# A core type in the environment would hold OpenBLAS, and PyTorch on it, to older kernels. Idle OpenMP threads must not spin for long.
unset OPENBLAS_CORETYPE
export GOMP_SPINCOUNT=1000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$here/.." && go test -c -o "$work/program" .)

# best FILE: the smallest number before the word best-ms
best() {
  awk '{ for (i = 2; i <= NF; i++) if ($i == "best-ms" && (!n++ || $(i-1) + 0 < b)) b = $(i-1) + 0 } END { print b }' "$1"
}

for case in A B; do
  for _ in $(seq "$rounds"); do
    (cd "$here/.." && "$work/program" -test.run '^$' -test.bench "Step/$case\$" -test.benchtime 10x -test.cpu "$threads") | grep best-ms >>"$work/kernel.$case"
    "$python" "$here/peer.py" "$case" --threads "$threads" --steps 10 >>"$work/peer.$case"
  done
  kernel=$(best "$work/kernel.$case") peer=$(best "$work/peer.$case")
  awk -v c="$case" -v k="$kernel" -v p="$peer" 'BEGIN { printf "step %s: kernel %.1f ms, PyTorch %.1f ms, ratio %.2f\n", c, k, p, p / k }'
done
cat "$work"/kernel.? "$work"/peer.?
