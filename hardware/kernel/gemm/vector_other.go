//go:build !amd64 || purego

package gemm

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

func vectorTile(isa.Path) (tile, bool) { return tile{}, false }
