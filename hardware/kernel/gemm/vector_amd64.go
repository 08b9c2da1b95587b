//go:build amd64 && !purego

package gemm

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// routine is an assembly kernel: strides in bytes, add not zero to add to C.
type routine func(depth int, a *float32, rowStride, colStride int, b, c *float32, cStride, panels,
	add int)

// kernels2 and kernels512 hold the routine for i+1 rows at index i.
var (
	kernels2 = [...]routine{
		kernelAVX2x1, kernelAVX2x2, kernelAVX2x3, kernelAVX2x4, kernelAVX2x5, kernelAVX2x6,
	}
	kernels512 = [...]routine{
		kernelAVX512x1, kernelAVX512x2, kernelAVX512x3, kernelAVX512x4, kernelAVX512x5,
		kernelAVX512x6, kernelAVX512x7,
		kernelAVX512x8, kernelAVX512x9, kernelAVX512x10, kernelAVX512x11, kernelAVX512x12,
		kernelAVX512x13, kernelAVX512x14,
	}
)

const (
	width2   = 16
	width512 = 32
)

func vectorTile(path isa.Path) (tile, bool) {
	switch path {
	case isa.AVX2:
		return tile{
			rows: len(kernels2), cols: width2, kernel: kernel2, pack: pack2,
			copyA: copyColumns, copyFrom: 512,
		}, true
	case isa.AVX512:
		return tile{rows: len(kernels512), cols: width512, kernel: kernel512, pack: pack512}, true
	default:
		return tile{}, false
	}
}

func kernel2(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride,
	panels int, add bool,
) {
	kernels2[rows-1](depth, &a[0], bytes*rowStride, bytes*colStride, &b[0], &c[0], bytes*cStride,
		panels, flag(add))
}

func kernel512(rows, depth int, a []float32, rowStride, colStride int, b, c []float32, cStride,
	panels int, add bool,
) {
	kernels512[rows-1](depth, &a[0], bytes*rowStride, bytes*colStride, &b[0], &c[0], bytes*cStride,
		panels, flag(add))
}

// bytes is the size of an element.
const bytes = 4

func flag(add bool) int {
	if add {
		return 1
	}
	return 0
}

func pack2(dst, b []float32, rowStride, colStride, valid int) {
	if colStride == 1 && valid == width2 {
		packRowsAVX2(&dst[0], &b[0], bytes*rowStride, len(dst)/width2)
		return
	}
	packTransposed(width2, dst, b, rowStride, colStride, valid)
}

func pack512(dst, b []float32, rowStride, colStride, valid int) {
	if colStride == 1 && valid == width512 {
		packRowsAVX512(&dst[0], &b[0], bytes*rowStride, len(dst)/width512)
		return
	}
	packTransposed(width512, dst, b, rowStride, colStride, valid)
}

// packTransposed fills the panel 8×8 elements at a time where the columns of B are contiguous, and
// leaves to packPanel what does not fill such squares.
func packTransposed(width int, dst, b []float32, rowStride, colStride, valid int) {
	const square = 8
	depth := len(dst) / width
	if rowStride != 1 || valid < width || depth < square {
		packPanel(width, dst, b, rowStride, colStride, valid)
		return
	}
	whole := depth - depth%square
	for j := 0; j < width; j += square {
		packColumnsAVX2(&dst[j], bytes*width, &b[j*colStride], bytes*colStride, whole/square)
	}
	if whole < depth {
		packPanel(width, dst[whole*width:], b[whole:], rowStride, colStride, valid)
	}
}
