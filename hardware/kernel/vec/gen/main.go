// Command gen writes the vector assembly of package vec and its Go stubs.
//
//	go run . -isa avx2 -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg vec
//	go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg vec
//
// One description of each routine serves both instruction sets: target hides the register width,
// the tail mask and the few instructions that differ. The generator is a module of its own, so that
// users of the library never download it.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	isa := flag.String("isa", "avx2", "instruction set: avx2 or avx512")
	flag.Parse()
	var t *target
	switch *isa {
	case "avx2":
		t = &target{suffix: "AVX2", lanes: 8}
	case "avx512":
		t = &target{suffix: "AVX512", lanes: 16, wide: true}
	default:
		fmt.Fprintf(os.Stderr, "gen: unknown instruction set %q; avx2 and avx512 are allowed\n",
			*isa)
		os.Exit(2)
	}
	// avo quotes the command line in what it writes: leave out where the files go, so that bytes
	// can be compared.
	os.Args = []string{os.Args[0], "-isa", *isa}
	ConstraintExpr("!purego")
	t.reductions()
	t.maps()
	t.softmax()
	t.norms()
	t.activations()
	t.adam()
	t.adafactor()
	Generate()
}
