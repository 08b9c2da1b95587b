//go:build !amd64 || purego

package vec

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// assembly is the routines written for a path, and whether there are any: none in this build.
func assembly(isa.Path) (kernels, bool) { return kernels{}, false }
