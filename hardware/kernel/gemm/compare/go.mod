module github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/compare

go 1.26.0

require github.com/deepnarrow/deepnarrow v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace github.com/deepnarrow/deepnarrow => ../../../..
