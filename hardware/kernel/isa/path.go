// Package isa says which vector instructions the training kernel may use on this machine.
//
// A Path is one family of assembly routines. Every routine of the kernel exists on the Generic path
// in plain Go, which is the only path on processors other than amd64 and under the build tag
// purego.
package isa

import (
	"fmt"
	"strings"
)

// Path names a family of routines, from the least to the most demanding: a machine that has one has
// all those below it.
type Path int

// The paths, in increasing order of what they ask of the processor.
const (
	Generic Path = iota // plain Go
	AVX2                // AVX2 and FMA3, 256-bit registers
	AVX512              // AVX-512 F, DQ, BW and VL, 512-bit registers
)

var names = [...]string{Generic: "generic", AVX2: "avx2", AVX512: "avx512"}

// String returns the name that Choose accepts: generic, avx2 or avx512.
func (p Path) String() string {
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Path(%d)", int(p))
	}
	return names[p]
}

// OverrideError reports a path asked for by name that is not known, or that this machine or build
// cannot run.
type OverrideError struct {
	Override string // as given
	Best     Path   // the best path of this machine and build
	Known    bool   // the name is a path, but one that Best excludes
}

func (e *OverrideError) Error() string {
	if e.Known {
		return fmt.Sprintf(
			"instruction path %q cannot run here: the best of this machine and build is %s",
			e.Override, e.Best)
	}
	return fmt.Sprintf("unknown instruction path %q; allowed: %s", e.Override,
		strings.Join(names[:], ", "))
}

// Best returns the most demanding path that the processor, the operating system and the build
// support.
func Best() Path { return best() }

// Supported returns every path that can run here, Generic first: for tests and benchmarks, which run
// all of them.
func Supported() []Path {
	var paths []Path
	for p := Generic; p <= best(); p++ {
		paths = append(paths, p)
	}
	return paths
}

// Choose returns the path named by override, or Best where override is empty. The error is an
// *OverrideError.
func Choose(override string) (Path, error) {
	if override == "" {
		return best(), nil
	}
	for p, name := range names {
		if name != override {
			continue
		}
		if Path(p) > best() {
			return Generic, &OverrideError{Override: override, Best: best(), Known: true}
		}
		return Path(p), nil
	}
	return Generic, &OverrideError{Override: override, Best: best()}
}
