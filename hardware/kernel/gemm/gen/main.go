// Command gen writes the assembly of the training kernel's matrix products and probes: the .s files
// and the Go declarations that belong to them. Run it from its own folder; the argument is the
// folder hardware/kernel to write to.
//
//	go run . ../..
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// files says what is generated: <folder>/<name>.s and <folder>/<name>.go under hardware/kernel.
var files = []struct {
	folder, name string
	generate     func(*build.Context)
}{
	{"gemm", "avx2_amd64", func(c *build.Context) { products(c, avx2) }},
	{"gemm", "avx512_amd64", func(c *build.Context) { products(c, avx512) }},
	{"probe", "loops_amd64", probes},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER")
		os.Exit(2)
	}
	for _, f := range files {
		if err := write(os.Args[1], f.folder, f.name, f.generate); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

func write(root, folder, name string, generate func(*build.Context)) error {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64,!purego")
	generate(ctx)
	file, err := ctx.Result()
	if err != nil {
		return fmt.Errorf("%s/%s: %w", folder, name, err)
	}
	if err := pass.Compile.Execute(file); err != nil {
		return fmt.Errorf("%s/%s: %w", folder, name, err)
	}
	config := printer.Config{Name: "hardware/kernel/gemm/gen", Pkg: folder}
	for suffix, make := range map[string]printer.Builder{
		".s":  printer.NewGoAsm,
		".go": printer.NewStubs,
	} {
		text, err := make(config).Print(file)
		if err != nil {
			return fmt.Errorf("%s/%s%s: %w", folder, name, suffix, err)
		}
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, folder, name+suffix), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
